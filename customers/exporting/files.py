"""Rows as CSV or XLSX, written to disk as they come: no more than one row is in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import xlsxwriter

from accounts.spreadsheets import safe_cell
from customers.models import Export

MOST_XLSX_ROWS: Final = 1_000_000  # the format itself ends a little later
_WIDTHS: Final = {"Last name": 22, "E-mail": 30, "Office": 24, "Account manager": 24, "Status": 12, "Date joined": 12}
_WIDTH: Final = 18


class Sheet(Protocol):
    """A file that is being written. Leaving the `with` block ends it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def add(self, rows: Iterable[Sequence[str | date]]) -> int:
        """Returns how many."""

    def sign(self, watermark: str) -> None:
        """The last line, which says whose file this is."""


def open_sheet(path: Path, format_: str, header: Sequence[str], *, title: str, author: str) -> Sheet:
    if format_ == Export.Format.XLSX:
        return _Workbook(path, header, title=title, author=author)
    return _Table(path, header)


class _Table:
    """CSV as spreadsheets like it: UTF-8 with its mark."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(header)
        self._line = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, rows: Iterable[Sequence[str | date]]) -> int:
        first = self._line
        for row in rows:
            self._rows.writerow([safe_cell(cell) for cell in row])
            self._line += 1
        return self._line - first

    def sign(self, watermark: str) -> None:
        self._rows.writerow([safe_cell(watermark)])


class _Workbook:
    """Texts are written as texts, never guessed to be formulas, links or numbers; dates are dates."""

    def __init__(self, path: Path, header: Sequence[str], *, title: str, author: str) -> None:
        self._book = xlsxwriter.Workbook(
            path, {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "yyyy-mm-dd"}
        )
        self._book.set_properties({"title": title, "author": author, "comments": "Made by lendconsole"})
        self._sheet = self._book.add_worksheet("Customers")
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(header):
            self._sheet.set_column(column, column, _WIDTHS.get(name, _WIDTH))
        bold = self._book.add_format({"bold": True})
        for column, name in enumerate(header):
            self._sheet.write_string(0, column, name, bold)
        self._line = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.close()

    def add(self, rows: Iterable[Sequence[str | date]]) -> int:
        first, text, day = self._line, self._sheet.write_string, self._sheet.write_datetime
        for row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    text(self._line, column, safe_cell(cell))
                else:
                    day(self._line, column, cell)
            self._line += 1
        return self._line - first

    def sign(self, watermark: str) -> None:
        self._sheet.write_string(self._line, 0, safe_cell(watermark))
        self._sheet.set_footer("&L" + watermark.replace("&", "&&")[:240])
