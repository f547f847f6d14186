"""Cells that a spreadsheet shows and does not calculate. Every file that the program hands out writes its texts through here."""

from __future__ import annotations

from typing import Final

# Where a spreadsheet begins to calculate instead of to show.
_STARTS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00")


def safe_cell(value: object) -> str:
    """A leading apostrophe keeps a text that a person typed from being taken for a formula."""
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_FORMULA) else text
