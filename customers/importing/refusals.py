"""The file of refused rows: as they came, with their line and every reason, to be corrected and imported again."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import PurePath
from typing import BinaryIO

from accounts.spreadsheets import safe_cell
from customers.files import store
from customers.importing import stage
from customers.importing.reading import read_rows
from customers.models import StoredFile

LINE, REASONS = "Line", "Why it was refused"


def store_refusals(file: BinaryIO, header: Sequence[str], *, file_name: str) -> StoredFile:
    """Of the rows that stand refused in the stage. Both are read once, side by side, a row at a time."""
    with tempfile.TemporaryFile() as target:
        text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=True)
        table = csv.writer(text)
        table.writerow([LINE, REASONS, *map(safe_cell, header)])
        file.seek(0)
        rows = read_rows(file)
        for line, reasons in stage.refused_lines():
            cells = next(row.cells for row in rows if row.line == line)
            table.writerow([line, *map(safe_cell, (" ".join(reasons), *cells))])
        text.detach()
        target.seek(0)
        return store(target, name=f"{PurePath(file_name).stem}-refused.csv")
