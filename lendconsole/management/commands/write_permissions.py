"""docs/permissions.md, made from the built-in roles, so that what people read is what the program does."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand

from teams.built_in_roles import DEFINITIONS
from teams.capabilities import UNITS, Capability, Reach

PAGE: Final = settings.BASE_DIR / "docs" / "permissions.md"
_HEAD: Final = """# Permissions of the built-in roles

Made by `manage.py write_permissions`; a test keeps it equal to the code. A reach covers own customers, the member's office with those below
it, or the whole organization. What each level shows of a customer stands in `docs/architecture.md`.
"""


def page() -> str:
    header = ["permission", *(role.label for role in DEFINITIONS)]
    lines = [_HEAD, f"| {' | '.join(header)} |", f"| {' | '.join(['---'] * len(header))} |"]
    for unit in UNITS:
        lines.append(f"| **{unit.label}** |{' |' * len(DEFINITIONS)}")
        for capability in unit.capabilities:
            words = [
                _word(capability, definition.reaches.get(capability, Reach.NONE)) for definition in DEFINITIONS.values()
            ]
            lines.append(f"| {capability.label} | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def _word(capability: Capability, reach: Reach) -> str:
    if capability.is_yes_no:
        return "no" if reach == Reach.NONE else "yes"
    return "–" if reach == Reach.NONE else str(reach.value)


class Command(BaseCommand):
    help = "Write docs/permissions.md from the built-in roles."

    def handle(self, *args: Any, **options: Any) -> None:
        PAGE.write_text(page())
