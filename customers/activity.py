"""The audit log of one customer in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.models import Customer

WITHHELD: Final = "withheld"
"""Stands in the log for a personal value: the log says that it changed, and can never be read for what it was."""

_LABELS: Final = {
    "account_manager": "Account manager",
    "bvn": "BVN",
    "date_of_birth": "Date of birth",
    "email": "E-mail",
    "employment_status": "Employment status",
    "first_name": "First name",
    "joined_on": "Date joined",
    "last_name": "Last name",
    "monthly_income": "Monthly income",
    "number": "Customer number",
}
_ICONS: Final = {
    Verb.CUSTOMER_CREATED: "user-plus",
    Verb.CUSTOMER_IMPORTED: "upload",
    Verb.CUSTOMER_CHANGED: "edit",
    Verb.CUSTOMER_STATUS_CHANGED: "adjustments",
    Verb.CUSTOMER_OPENED: "eye",
    Verb.CUSTOMER_BVN_REVEALED: "key",
    Verb.DOCUMENT_UPLOADED: "upload",
    Verb.DOCUMENT_APPROVED: "circle-check",
    Verb.DOCUMENT_DECLINED: "ban",
    Verb.DOCUMENT_REMOVED: "trash",
    Verb.DOCUMENT_DOWNLOADED: "download",
    Verb.NOTE_ADDED: "note",
    Verb.NOTE_CHANGED: "edit",
    Verb.NOTE_COMPLETED: "check",
    Verb.NOTE_DELETED: "trash",
    Verb.NOTE_FILE_DOWNLOADED: "download",
    Verb.MANAGER_ASSIGNED: "user-check",
    Verb.MANAGER_REMOVED: "user-minus",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after; "" where there was or is none. Of a withheld value only that it changed is known."""

    label: str
    before: str
    after: str

    @property
    def in_words(self) -> str:
        if WITHHELD in (self.before, self.after):
            verb = "added" if not self.before else "removed" if not self.after else "changed"
            return f"{self.label} {verb}"
        if not self.before:
            return f"{self.label}: {self.after}"
        return f"{self.label}: {self.before} → {self.after or 'none'}"


class Entry:
    """One line of the log as the page shows it."""

    def __init__(self, event: AuditEvent, customer: Customer) -> None:
        self.event = event
        self._customer = customer

    @property
    def actor(self) -> str:
        """The log names people as "Name <address>"; the name is enough here."""
        return self.event.actor_label.partition(" <")[0]

    @property
    def action(self) -> str:
        return f"{self.event.get_verb_display()} {self._customer.name}"

    @property
    def icon(self) -> str:
        return _ICONS.get(Verb(self.event.verb), "history") if self.event.verb in Verb.values else "history"

    @property
    def changes(self) -> list[Change]:
        before, after = self.event.before, self.event.after
        keys = list(dict.fromkeys([*before, *after]))
        return [Change(_label(key), _text(before.get(key)), _text(after.get(key))) for key in keys]


def _label(key: str) -> str:
    return _LABELS.get(key) or key.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, str) and len(value) == 10 and value[4:5] == "-":
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return value
        return f"{day.day} {day:%b %Y}"
    return str(value)
