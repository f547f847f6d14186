"""Reading filters from an address. Nothing in an address is trusted to be sensible: what cannot be understood counts as absent."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date
from typing import Final

LARGEST_KEY: Final = 2**63 - 1
LARGEST_PAGE: Final = 99_999
LONGEST_TEXT: Final = 100


def text(parameters: Mapping[str, str], name: str) -> str:
    """A short line that a database can compare with."""
    value = "".join(character if character.isprintable() else " " for character in parameters.get(name, ""))
    return value.strip()[:LONGEST_TEXT]


def key(parameters: Mapping[str, str], name: str) -> int | None:
    """The number of a record."""
    return number(parameters.get(name, ""))


def number(written: str, largest: int = LARGEST_KEY) -> int | None:
    """Of digits alone, and no larger than that."""
    digits = written.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(largest)) or int(digits) > largest:
        return None
    return int(digits)


def page(parameters: Mapping[str, str]) -> int:
    """Which page of a list, from 1."""
    return number(parameters.get("page", ""), LARGEST_PAGE) or 1


def day(parameters: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(parameters.get(name, "").strip())
    except ValueError:
        return None


def option(parameters: Mapping[str, str], name: str, allowed: Container[str]) -> str:
    """One of the allowed values, or ""."""
    value = parameters.get(name, "")
    return value if value in allowed else ""
