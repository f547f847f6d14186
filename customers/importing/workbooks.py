"""From the bytes of an XLSX file to its rows: one pass, one row in memory, every size bounded before it is believed.

The format is a ZIP archive of XML. Libraries for it build a row before anybody can count its cells and read all parts
whole, which a hostile file turns into gigabytes; the streaming parser here stops at the first thing too many.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO, Final
from xml.parsers import expat

from customers.importing.limits import (
    MAXIMUM_BYTES,
    MAXIMUM_COLUMNS,
    MAXIMUM_LINE_BYTES,
    MAXIMUM_ROWS,
    SAVE_AS,
    FileRefused,
    Row,
)

UNPACKED_BYTES: Final = 512 * 1024**2
"""All parts together."""
PART_BYTES: Final = 64 * 1024**2
"""Any part but a sheet."""
PARTS: Final = 2_000
STRINGS: Final = 2_000_000
RATIO: Final = 200
"""How much smaller than its content a part may be; honest sheets come to 30."""
_SMALL: Final = 1024**2
_PORTION: Final = 64 * 1024
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_ID: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_ID: Final = "http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_BUILT_IN_DAYS: Final = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_NOT_SHOWN: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
_LAST_DAY: Final = 2_958_466
_LAST_LINE: Final = 1_048_576
UNREADABLE: Final = f"The file is no spreadsheet that can be read. {SAVE_AS}"

TOO_MUCH_TEXT: Final = "The spreadsheet holds too much different text. Split it and import the parts."

Attributes = dict[str, str]


# All that reading a broken, an encrypted or a half archive, and what it holds, ends with.
_BROKEN: Final = (
    *(zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, OSError),
    *(KeyError, IndexError, ValueError, OverflowError, RuntimeError, NotImplementedError),
)


def is_workbook(file: BinaryIO) -> bool:
    """Told by its first bytes; whatever the name says. The file is left at its beginning."""
    if not file.seekable():
        return False
    start = file.read(4)
    file.seek(0)
    return start == b"PK\x03\x04"


def read_workbook(file: BinaryIO) -> Iterator[Row]:
    """The rows of the first sheet that are not blank, as texts. Raises FileRefused, possibly after some rows."""
    if file.seek(0, 2) > MAXIMUM_BYTES:
        raise FileRefused(f"The file is larger than {MAXIMUM_BYTES // 1024**2} MB. Split it and import the parts.")
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            _measure(archive)
            yield from _Workbook(archive).rows()
    except _BROKEN:
        raise FileRefused(UNREADABLE) from None


def _measure(archive: zipfile.ZipFile) -> None:
    """By what the archive says of itself; no more than that is unpacked from it later."""
    parts = archive.infolist()
    whole = sum(part.file_size for part in parts)
    swollen = any(part.file_size > _SMALL and part.file_size > RATIO * part.compress_size for part in parts)
    if len(parts) > PARTS or whole > UNPACKED_BYTES or swollen:
        raise FileRefused("The file unpacks to more than a list of customers can hold. Split it and import the parts.")


class _Workbook:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.starts_1904 = False
        self.strings: list[str] = []
        self.day_styles: set[int] = set()

    def rows(self) -> Iterator[Row]:
        path = self._first_sheet()
        self._read_strings()
        self._read_styles()
        count = width = 0
        for line, cells in _Sheet(self).rows(_parts(self.archive, path)):
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAXIMUM_ROWS + 1:
                raise FileRefused(f"The file has more than {MAXIMUM_ROWS:,} rows. Split it and import the parts.")
            words = _trimmed(cells)
            width = width or len(words)
            yield Row(line, words + [""] * (width - len(words)))
        if count == 0:
            raise FileRefused("The file is empty.")

    def _first_sheet(self) -> str:
        sheets: list[str] = []
        targets: dict[str, str] = {}

        def start(name: str, attributes: Attributes) -> None:
            if name == "sheet" and attributes.get("state", "visible") == "visible":
                sheets.append(attributes.get(_ID) or attributes.get(_STRICT_ID, ""))
            elif name == "workbookPr":
                self.starts_1904 = attributes.get("date1904") in {"1", "true"}
            elif name == "Relationship":
                targets[attributes["Id"]] = attributes["Target"]

        self._parse("xl/workbook.xml", start)
        self._parse(_RELATIONS, start)
        target = targets[sheets[0]]
        return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")

    def _read_strings(self) -> None:
        """Texts that cells point at. Those of a reading aid (rPh) are no part of them."""
        if "xl/sharedStrings.xml" not in self.archive.namelist():
            return
        texts: list[str] = []
        inside: list[str] = []

        def start(name: str, attributes: Attributes) -> None:
            inside.append(name)

        def end(name: str) -> None:
            inside.pop()
            if name == "si":
                whole = "".join(texts)
                if len(self.strings) >= STRINGS or len(whole) > MAXIMUM_LINE_BYTES:
                    raise FileRefused(TOO_MUCH_TEXT)
                self.strings.append(whole)
                texts.clear()

        def text(data: str) -> None:
            if inside and inside[-1] == "t" and "rPh" not in inside:
                texts.append(data)

        self._parse("xl/sharedStrings.xml", start, end, text)

    def _read_styles(self) -> None:
        """Which numbers are days: a cell says so by its style alone."""
        if "xl/styles.xml" not in self.archive.namelist():
            return
        days = set(_BUILT_IN_DAYS)
        inside: list[str] = []
        count = 0

        def start(name: str, attributes: Attributes) -> None:
            nonlocal count
            if name == "numFmt" and re.search("[dy]", _NOT_SHOWN.sub("", attributes.get("formatCode", "")), re.I):
                days.add(int(attributes["numFmtId"]))
            elif name == "xf" and inside and inside[-1] == "cellXfs":
                if int(attributes.get("numFmtId", 0)) in days:
                    self.day_styles.add(count)
                count += 1
            inside.append(name)

        def end(name: str) -> None:
            inside.pop()

        self._parse("xl/styles.xml", start, end)

    def _parse(
        self,
        path: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        if self.archive.getinfo(path).file_size > PART_BYTES:
            raise FileRefused(TOO_MUCH_TEXT)
        parser = _parser(start, end, text)
        for portion in _parts(self.archive, path):
            parser.Parse(portion, False)
        parser.Parse(b"", True)


class _Sheet:
    """Follows the cells of one sheet."""

    def __init__(self, book: _Workbook) -> None:
        self.book = book
        self.done: list[Row] = []
        self.cells: list[str] = []
        self.line = 0
        self.kind = self.style = ""
        self.is_text = False
        self.is_reading_aid = False
        self.texts: list[str] = []
        self.length = 0

    def rows(self, portions: Iterator[bytes]) -> Iterator[Row]:
        parser = _parser(self._start, self._end, self._text)
        for portion in portions:
            parser.Parse(portion, False)
            yield from self.done
            self.done.clear()
        parser.Parse(b"", True)
        yield from self.done

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            column = _column(attributes["r"]) if "r" in attributes else len(self.cells)
            if max(column, len(self.cells)) >= MAXIMUM_COLUMNS:
                raise FileRefused(f"Line {self.line} has more than {MAXIMUM_COLUMNS} columns.")
            self.cells.extend([""] * (column - len(self.cells)))
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
            self.texts.clear()
        elif name in {"v", "t"}:
            self.is_text = not self.is_reading_aid
        elif name == "rPh":
            self.is_reading_aid = True
        elif name == "row":
            self.line = int(attributes.get("r", self.line + 1))
            if not 0 < self.line <= _LAST_LINE:
                raise ValueError(self.line)
            self.cells = []
            self.length = 0

    def _end(self, name: str) -> None:
        if name == "c":
            self.cells.append(self._value("".join(self.texts)))
        elif name in {"v", "t"}:
            self.is_text = False
        elif name == "rPh":
            self.is_reading_aid = False
        elif name == "row":
            self.done.append(Row(self.line, self.cells))

    def _text(self, data: str) -> None:
        if self.is_text:
            self.length += len(data)
            if self.length > MAXIMUM_LINE_BYTES:
                raise FileRefused(f"Line {self.line} is too long to be a customer.")
            self.texts.append(data)

    def _value(self, text: str) -> str:
        match self.kind:
            case "s" if text:
                index = int(text)
                if index < 0:
                    raise ValueError(text)
                return self.book.strings[index]
            case "b":
                return "TRUE" if text == "1" else "FALSE"
            case "n" if text and int(self.style) in self.book.day_styles:
                return _day(float(text), starts_1904=self.book.starts_1904)
            case "n" if text and not _WHOLE.fullmatch(text):
                number = float(text)
                return str(int(number)) if number.is_integer() and abs(number) < 1e15 else text
        return text


def _parser(
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None,
    text: Callable[[str], None] | None,
) -> expat.XMLParserType:
    """Gives local names. These files declare no document type, and so no entities that could multiply."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def refuse(*declaration: object) -> None:
        raise FileRefused(UNREADABLE)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition("}")[2], attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(name.rpartition("}")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    return parser


def _parts(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    with archive.open(path) as part:
        while portion := part.read(_PORTION):
            yield portion


def _column(reference: str) -> int:
    """0 for "A7"."""
    number = 0
    for letter in reference[:4]:
        if not ("A" <= letter <= "Z"):
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    return max(number, 1) - 1


def _day(number: float, *, starts_1904: bool) -> str:
    """As customer files write days; with the time where there is one."""
    if not 0 < number < _LAST_DAY:
        return str(number)
    first = datetime(1904, 1, 1) if starts_1904 else datetime(1899, 12, 30)  # noqa: DTZ001  # spreadsheets know no zones
    moment = first + timedelta(days=int(number), seconds=round(number % 1 * 86_400))
    return moment.isoformat(sep=" ") if moment.time() != first.time() else moment.date().isoformat()


def _trimmed(cells: list[str]) -> list[str]:
    """Without the blank cells behind the last word."""
    last = max(index for index, cell in enumerate(cells) if cell.strip())
    return cells[: last + 1]
