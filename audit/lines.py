"""One event as a sentence with details that people can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from django.urls import NoReverseMatch

from audit.models import AuditEvent

# Where a record can be opened, and the permission that its page asks for. Names of pages point up; classes may not.
PAGES: Final[dict[str, tuple[str, str]]] = {
    "customers.customer": ("customers:customer_profile", "customers.find"),
    "teams.member": ("teams:member_profile", "members.view"),
    "teams.office": ("teams:office_edit", "offices.manage"),
    "teams.role": ("teams:role_detail", "roles.view"),
}
NOTHING: Final = "nothing"


class Reader(Protocol):
    def reach(self, capability: Any) -> Any: ...

    def url(self, name: str, *args: Any) -> str: ...


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that the event changed. `before` is None where the event knows no earlier state."""

    name: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    event: AuditEvent
    actor: str
    actor_note: str
    url: str
    changes: list[Change]


def line(event: AuditEvent, reader: Reader) -> Line:
    actor, address = split_label(event.actor_label)
    return Line(
        event=event,
        actor=actor,
        actor_note=address,
        url=record_url(event, reader),
        changes=_changes(event.before, event.after),
    )


def split_label(label: str) -> tuple[str, str]:
    """ "Amaka Obi <amaka@example.com>" in two. The system and operators have no address."""
    name, _, address = label.rpartition(" <")
    return (name, address.removesuffix(">")) if name and label.endswith(">") else (label, "")


def record_url(event: AuditEvent, reader: Reader) -> str:
    """The record's page, for readers who may open every record of its kind; "" else, rather than a link to nowhere."""
    if event.target_type not in PAGES or event.target_id is None:
        return ""
    name, capability = PAGES[event.target_type]
    if reader.reach(capability) != "organization":
        return ""
    try:
        return reader.url(name, event.target_id)
    except NoReverseMatch:
        return ""


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    names = [*after, *(name for name in before if name not in after)]
    return [
        Change(
            name=name.replace("_", " ").capitalize(),
            before=_written(before[name]) if name in before else None,
            after=_written(after.get(name)) if name in after or name in before else "",
        )
        for name in names
    ]


def _written(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_written(item) for item in value)
        case dict():
            return "; ".join(f"{name.replace('_', ' ')}: {_written(item)}" for name, item in value.items())
    return str(value)
