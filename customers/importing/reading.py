"""From the bytes of an uploaded file to its rows, without trusting the file: bounded lines, bounded rows, UTF-8 only.
Spreadsheets go to workbooks.py.

Nothing here holds more than one row in memory, so a hostile file costs as little as an honest one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, Final

from customers.importing.limits import (
    MAXIMUM_BYTES,
    MAXIMUM_COLUMNS,
    MAXIMUM_LINE_BYTES,
    MAXIMUM_ROW_BYTES,
    MAXIMUM_ROWS,
    SAVE_AS,
    FileRefused,
    Row,
)
from customers.importing.workbooks import is_workbook, read_workbook

UTF8_MARK: Final = b"\xef\xbb\xbf"
# What the first bytes give away, so that people read what to do instead of a complaint about one byte.
SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xfe", f"The file is UTF-16 text. {SAVE_AS}"),
    (b"\xfe\xff", f"The file is UTF-16 text. {SAVE_AS}"),
    (b"PK\x03\x04", f"The file is a spreadsheet or an archive, not CSV. {SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"The file is an old spreadsheet, not CSV. {SAVE_AS}"),
    (b"\x1f\x8b", "The file is compressed. Unpack it and try again."),
    (b"<", f"The file is a web page, a picture or other markup, not CSV. {SAVE_AS}"),
    (b"%PDF", f"The file is a PDF, not CSV. {SAVE_AS}"),
)


def read_rows(file: BinaryIO) -> Iterator[Row]:
    """The header and then every row that is not blank, of CSV or XLSX. Raises FileRefused, possibly after some rows."""
    return read_workbook(file) if is_workbook(file) else _read_table(file)


def _read_table(file: BinaryIO) -> Iterator[Row]:
    lines = _Lines(file)
    rows = csv.reader(lines, strict=True)
    number = 0
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows, None)
        except csv.Error as problem:
            raise FileRefused(f"Line {line} cannot be read as CSV ({problem}).") from None
        lines.start_row()
        if cells is None:
            break
        if len(cells) > MAXIMUM_COLUMNS:
            raise FileRefused(f"Line {line} has more than {MAXIMUM_COLUMNS} columns.")
        if not any(cell.strip() for cell in cells):
            continue
        number += 1
        if number > MAXIMUM_ROWS + 1:
            raise FileRefused(f"The file has more than {MAXIMUM_ROWS:,} rows. Split it and import the parts.")
        yield Row(line, cells)
    if number == 0:
        raise FileRefused("The file is empty.")


class _Lines:
    """Decoded lines of the file, each and all of them bounded."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.count = self.bytes_read = self.bytes_of_row = 0

    def start_row(self) -> None:
        self.bytes_of_row = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.file.readline(MAXIMUM_LINE_BYTES + 1)
        if not line:
            raise StopIteration
        self.count += 1
        if self.count == 1:
            line = self._first(line)
        self.bytes_read += len(line)
        self.bytes_of_row += len(line)
        if self.bytes_read > MAXIMUM_BYTES:
            raise FileRefused(f"The file is larger than {MAXIMUM_BYTES // 1024**2} MB. Split it and import the parts.")
        if b"\x00" in line:
            raise FileRefused(f"Line {self.count} contains NUL bytes, so this is not a text file. {SAVE_AS}")
        if len(line) > MAXIMUM_LINE_BYTES or self.bytes_of_row > MAXIMUM_ROW_BYTES:
            raise FileRefused(f"Line {self.count} is too long to be a customer.")
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise FileRefused(f"Line {self.count} is not UTF-8 text. {SAVE_AS}") from None

    @staticmethod
    def _first(line: bytes) -> bytes:
        start = line.removeprefix(UTF8_MARK).lstrip()
        for signature, sentence in SIGNATURES:
            if start.startswith(signature):
                raise FileRefused(sentence)
        return line.removeprefix(UTF8_MARK)
