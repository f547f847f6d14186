"""Spreadsheets as customer files: what Excel and others write is read, what hides a bomb is refused early and cheaply."""

from __future__ import annotations

import csv
import io
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter

from accounts.models import Organization
from customers.importing import workbooks
from customers.importing.limits import FileRefused
from customers.importing.reading import read_rows
from customers.importing.workbooks import read_workbook
from customers.models import Customer
from lendconsole.tenancy import organization_context
from tests.customers.import_support import DIRTY, GOOD, HEADER, build_kudi, load
from tests.customers.workbooks import MAIN, data, packed


@pytest.fixture
def kudi(db: None) -> Iterator[Organization]:
    kudi = build_kudi()
    with organization_context(kudi.pk):
        yield kudi


def written(rows: list[list[Any]], **options: Any) -> bytes:
    """As Excel writes them."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, **options})
    day, sheet = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_worksheet()
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(line, column, cell, day)
            else:
                sheet.write(line, column, cell)
    book.close()
    return file.getvalue()


def cells(content: bytes) -> list[list[str]]:
    return [row.cells for row in read_rows(io.BytesIO(content))]


@pytest.mark.parametrize("constant_memory", [False, True], ids=["shared texts", "texts in their cells"])
def test_cells_become_the_texts_that_people_see(constant_memory: bool) -> None:
    rows: list[list[Any]] = [
        ["Customer number", "Phone", "Joined", "Income", "Share", "Yes", "", ""],
        ["KM-1", 8034129981, date(2024, 2, 29), 250000.0, 0.25, True],
        [],
        ["Ọláitán", "", datetime(2024, 2, 29, 13, 30), 1e10, -3, False],  # noqa: DTZ001  # spreadsheets know no zones
    ]
    content = written(rows, constant_memory=constant_memory)
    assert [(row.line, row.cells) for row in read_rows(io.BytesIO(content))] == [
        (1, ["Customer number", "Phone", "Joined", "Income", "Share", "Yes"]),
        (2, ["KM-1", "8034129981", "2024-02-29", "250000", "0.25", "TRUE"]),
        (4, ["Ọláitán", "", "2024-02-29 13:30:00", "10000000000", "-3", "FALSE"]),
    ]


def test_days_since_1904_and_formulas_by_their_value() -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "date_1904": True})
    sheet = book.add_worksheet()
    sheet.write_datetime(0, 0, date(2024, 2, 29), book.add_format({"num_format": 14}))
    sheet.write_formula(0, 1, "=1+1", None, 2)
    sheet.write_formula(0, 2, '="a"&"b"', None, "ab")
    book.close()
    assert cells(file.getvalue()) == [["2024-02-29", "2", "ab"]]


def test_the_first_sheet_that_is_shown_counts() -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    hidden, shown = book.add_worksheet("Notes"), book.add_worksheet("Customers")
    hidden.write(0, 0, "hidden")
    shown.write(0, 0, "shown")
    shown.activate()
    hidden.hide()
    book.close()
    assert cells(file.getvalue()) == [["shown"]]


def test_other_programs_prefix_their_names_and_add_reading_aids() -> None:
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c>'
        '<x:c t="inlineStr"><x:is><x:r><x:t>in</x:t></x:r><x:r><x:t>line</x:t></x:r></x:is></x:c></x:row></x:sheetData></x:worksheet>'
    )
    strings = f'<sst xmlns="{MAIN}"><si><t>東京</t><rPh sb="0" eb="1"><t>とうきょう</t></rPh></si></sst>'
    assert cells(packed(sheet, strings)) == [["東京", "inline"]]


def as_workbook(path: Any) -> bytes:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return written(list(csv.reader(file)), strings_to_formulas=False, strings_to_urls=False)


@pytest.mark.parametrize("path", [GOOD, DIRTY], ids=lambda path: path.stem)
def test_a_spreadsheet_is_judged_as_the_same_rows_in_csv(kudi: Organization, path: Any) -> None:
    from_csv, from_xlsx = load(kudi, path, dry_run=True), load(kudi, as_workbook(path), dry_run=True)
    assert from_csv.loaded > 0
    assert (from_xlsx.rows, from_xlsx.loaded, from_xlsx.refused) == (from_csv.rows, from_csv.loaded, from_csv.refused)
    # Lines are counted by rows here, and there by lines of text, of which one cell may have several.
    assert [row.sentences for row in from_xlsx.remarks] == [row.sentences for row in from_csv.remarks]


def test_a_spreadsheet_is_loaded(kudi: Organization) -> None:
    report = load(kudi, as_workbook(GOOD))
    assert report.loaded == Customer.objects.count() == report.rows


ROW = '<row><c t="inlineStr"><is><t>x</t></is></c></row>'
HOSTILE: dict[str, Callable[[], bytes]] = {
    "no archive": lambda: b"PK\x03\x04" + b"\x00" * 500,
    "another archive": lambda: packed(data(ROW)).replace(b"xl/workbook.xml", b"xl/otherone.xml"),
    "half an archive": lambda: packed(data(ROW))[:-10],
    "half a sheet": lambda: packed(data(ROW)[:-30]),
    "entities": lambda: packed('<!DOCTYPE a [<!ENTITY b "bbb">]>' + data(ROW.replace("x", "&b;&b;"))),
    "an outside entity": lambda: packed('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + data(ROW)),
    "a text that is not there": lambda: packed(data('<row><c t="s"><v>7</v></c></row>')),
    "a text before the first": lambda: packed(data('<row><c t="s"><v>-1</v></c></row>')),
    "a line of the far end": lambda: packed(data(f'<row r="99999999999">{ROW[5:]}')),
    "no number": lambda: packed(data("<row><c><v>1e</v></c></row>")),
    "a million columns": lambda: packed(data("<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>")),
    "one far column": lambda: packed(data('<row><c r="XFD1"><v>1</v></c></row>')),
    "a long cell": lambda: packed(data(ROW.replace("x", "xy" * 40_000))),
    "a bomb of blanks": lambda: packed(data("<row>" + " " * 50_000_000 + "</row>")),
    "a bomb of texts": lambda: packed(data(ROW), "<sst>" + "<si><t>abc</t></si>" * 4_000_000 + "</sst>"),
    "nothing": lambda: packed(data("")),
    "blanks": lambda: packed(data('<row><c t="inlineStr"><is><t> </t></is></c></row>')),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_spreadsheets_are_refused_in_seconds_with_little_memory(name: str) -> None:
    file = io.BytesIO(HOSTILE[name]())
    started = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused) as refusal:
            list(read_workbook(file))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(refusal.value).endswith(".")
    assert "/" not in str(refusal.value)
    assert time.perf_counter() - started < 5
    assert peak < 20 * 1024**2


def test_texts_that_are_too_many_or_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "STRINGS", 2)
    with pytest.raises(FileRefused, match="different text"):
        cells(packed(data(ROW), "<sst>" + "<si><t>a</t></si>" * 3 + "</sst>"))
    with pytest.raises(FileRefused, match="different text"):
        cells(packed(data(ROW), f"<sst><si><t>{'ab' * 40_000}</t></si></sst>"))


def test_rows_that_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAXIMUM_ROWS", 2)
    assert len(cells(packed(data(ROW * 3)))) == 3
    with pytest.raises(FileRefused, match="more than 2 rows"):
        cells(packed(data(ROW * 4)))


@pytest.mark.parametrize(
    "content", [b"<!doctype html><table>", b"\xef\xbb\xbf  <html>", b'<?xml version="1.0"?><svg onload="alert(1)">']
)
def test_pages_and_pictures_under_another_name(kudi: Organization, content: bytes) -> None:
    with pytest.raises(FileRefused, match="web page"):
        load(kudi, content)


def test_a_formula_in_a_cell_is_a_text_like_another(kudi: Organization) -> None:
    """What was typed as text stays text; the name rule refuses it."""
    header = HEADER.split(",")
    row = dict.fromkeys(header, "") | {
        "Customer number": "KM-1",
        "First name": "=1+1",
        "Last name": "Etim",
        "Office": "Head Office",
    }
    report = load(kudi, written([header, [row[name] for name in header]], strings_to_formulas=False))
    assert (report.loaded, report.refused) == (0, 1)
