"""What people may type where several apps ask for the same thing."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache
from typing import Final

from django.core.exceptions import ValidationError

# A name is shown in pages, mails, spreadsheets and subject lines; these characters start markup, links, formulas or headers there,
# turn the direction of what follows, or cannot be seen.
_UNSAFE_NAME: Final = re.compile(
    r"[<>\x00-\x1f\x7f\u200b\u2028-\u202e\u2060-\u2069\ufeff]|://|^\s*[=+@\-]|www\.", re.IGNORECASE
)


def validate_person_name(value: str) -> None:
    """A name of a person or a small business: any script, but no markup, link, formula or control character."""
    if _UNSAFE_NAME.search(value):
        raise ValidationError("A name cannot contain < or >, a link, or begin with = + - or @.", code="unsafe_name")
    if not any(character.isalpha() for character in value):
        raise ValidationError("A name needs at least one letter.", code="no_letter")


@cache
def time_zones() -> frozenset[str]:
    """Read once: the names come from files."""
    return frozenset(zoneinfo.available_timezones())


def validate_time_zone(value: str) -> None:
    if value not in time_zones():
        raise ValidationError(
            "%(value)s is not a time zone, such as Africa/Lagos.", params={"value": value}, code="time_zone"
        )
