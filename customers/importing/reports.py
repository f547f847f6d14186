"""What became of each row of a file: exact counts, and as many of the rows as somebody will read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from customers.importing import stage
from customers.models import Customer

MAXIMUM_REPORTED: Final = 10_000
"""Rows of each kind that a report names; further ones are counted."""
SHOWN: Final = 50
"""Rows of each kind on a page."""


@dataclass(frozen=True, slots=True)
class ReportedRow:
    line: int
    number: str
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of each row. The lists name at most so many rows as were asked for; the counts are exact."""

    batch: uuid.UUID
    rows: int
    loaded: int
    already_there: int
    differing: int
    refused: int
    refused_rows: list[ReportedRow]
    remarks: list[ReportedRow]
    """Loaded, but somebody should look at them."""
    differing_rows: list[ReportedRow]
    """Already there with other data, which was not changed; the sentences name the fields."""
    fields: list[tuple[str, int]]
    """In what they differ, and how many of them do."""


def read_report(batch: uuid.UUID, most: int = MAXIMUM_REPORTED) -> ImportReport:
    """Of the rows that stand compared in the stage."""
    counts = stage.count_rows()
    return ImportReport(
        batch=batch,
        rows=counts["all"],
        loaded=counts["new"],
        already_there=counts["there"],
        differing=counts["differing"],
        refused=counts["refused"],
        refused_rows=[ReportedRow(*row) for row in stage.list_rows("reasons", most)],
        remarks=[ReportedRow(*row) for row in stage.list_rows("remarks", most)],
        differing_rows=[
            ReportedRow(line, number, [LABELS[field] for field in fields])
            for line, number, fields in stage.list_rows("differences", most)
        ],
        fields=[(LABELS[field], rows) for field, rows in stage.count_differences()],
    )


def as_json(report: ImportReport, *, updates: bool) -> dict[str, Any]:
    """As it is kept with the import, for its page."""
    updated = report.differing if updates else 0
    return {
        "rows": report.rows,
        "new": report.loaded,
        "updated": updated,
        "left": report.already_there - updated,
        "refused": report.refused,
        "fields": report.fields if updates else [],
        "refused_rows": _listed(report.refused_rows),
        "remarks": _listed(report.remarks),
    }


def _listed(rows: list[ReportedRow]) -> list[dict[str, Any]]:
    return [{"line": row.line, "number": row.number, "sentences": row.sentences} for row in rows[:SHOWN]]


LABELS: Final = {"bvn": "BVN"} | {field.attname: str(field.verbose_name) for field in Customer._meta.concrete_fields}
