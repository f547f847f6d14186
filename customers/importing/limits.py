"""How much of a file is believed, and how it is refused."""

from __future__ import annotations

from typing import Final, NamedTuple

from lendconsole.errors import DomainError

MAXIMUM_BYTES: Final = 50 * 1024 * 1024
MAXIMUM_ROWS: Final = 1_000_000
MAXIMUM_COLUMNS: Final = 200
MAXIMUM_LINE_BYTES: Final = 64 * 1024
MAXIMUM_ROW_BYTES: Final = 4 * MAXIMUM_LINE_BYTES
SAVE_AS: Final = "Save it as “CSV UTF-8 (comma delimited)” and try again."


class FileRefused(DomainError):
    """The file as a whole cannot be imported; nothing of it was."""

    field = "file"


class Row(NamedTuple):
    line: int
    """Where the row begins in the file, counted from 1 with the header."""
    cells: list[str]
