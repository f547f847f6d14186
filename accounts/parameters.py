"""Reading filters from an address. Nothing in an address is trusted to be sensible: what cannot be understood counts as absent."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date

LARGEST_KEY = 2**63 - 1
LONGEST_TEXT = 100
LAST_PAGE = 99_999


def text(parameters: Mapping[str, str], name: str) -> str:
    """A short line that a database can compare with."""
    value = "".join(character if character.isprintable() else " " for character in parameters.get(name, ""))
    return value.strip()[:LONGEST_TEXT]


def key(parameters: Mapping[str, str], name: str) -> int | None:
    """The number of a record."""
    value = parameters.get(name, "").strip()
    if not (value.isascii() and value.isdigit()) or len(value) > 19 or int(value) > LARGEST_KEY:
        return None
    return int(value)


def page_number(parameters: Mapping[str, str]) -> int:
    """Which page of a list; the first one where that is no number of one."""
    number = key(parameters, "page") or 1
    return number if number <= LAST_PAGE else 1


def day(parameters: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(parameters.get(name, "").strip())
    except ValueError:
        return None


def option(parameters: Mapping[str, str], name: str, allowed: Container[str]) -> str:
    """One of the allowed values, or ""."""
    value = parameters.get(name, "")
    return value if value in allowed else ""
