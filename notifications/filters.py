"""The filters of the e-mails page, from the address to conditions and to the words on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts import parameters
from notifications.letters import all_letters, label_of
from notifications.models import OutgoingEmail
from notifications.querysets import OutgoingEmailQuerySet

State = OutgoingEmail.State


@dataclass(frozen=True, slots=True)
class Filters:
    q: str = ""
    state: str = ""
    kind: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Filters:
        return cls(
            q=parameters.text(query, "q"),
            state=parameters.option(query, "state", State.values),
            kind=parameters.option(query, "kind", {letter.kind for letter in all_letters()}),
        )

    def apply(self, emails: OutgoingEmailQuerySet) -> OutgoingEmailQuerySet:
        if self.q:
            emails = emails.addressed_to(self.q)
        if self.state:
            emails = emails.filter(state=self.state)
        if self.kind:
            emails = emails.filter(kind=self.kind)
        return emails

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Label, value and parameter of each filter that is on."""
        on = [
            ("To", self.q, "q"),
            ("State", State(self.state).label if self.state else "", "state"),
            ("Letter", label_of(self.kind) if self.kind else "", "kind"),
        ]
        return [chip for chip in on if chip[1]]
