"""The filters of the audit log, from the address to conditions that its indexes serve and to the words on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from accounts import parameters
from audit.querysets import AuditEventQuerySet
from audit.verbs import Verb

SYSTEM: Final = "system"
Chip = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Filters:
    """`actor` is a member's number or "system"; `record` is "customers.customer:7"."""

    actor: str = ""
    verb: str = ""
    record: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Filters:
        actor = parameters.key(query, "actor")
        return cls(
            actor=SYSTEM if query.get("actor") == SYSTEM else str(actor or ""),
            verb=parameters.option(query, "verb", Verb.values),
            record=_record(parameters.text(query, "record")),
            since=parameters.day(query, "since"),
            until=parameters.day(query, "until"),
        )

    def apply(self, events: AuditEventQuerySet, zone: str) -> AuditEventQuerySet:
        """Days begin and end at midnight of the organization's time zone."""
        if self.actor == SYSTEM:
            events = events.filter(actor_id=None)
        elif self.actor:
            events = events.filter(actor_id=int(self.actor))
        if self.verb:
            events = events.filter(verb=self.verb)
        if self.record:
            target_type, _, target_id = self.record.partition(":")
            events = events.filter(target_type=target_type, target_id=int(target_id))
        if self.since:
            events = events.filter(at__gte=_midnight(self.since, zone))
        if self.until and self.until < date.max:
            events = events.filter(at__lt=_midnight(self.until + timedelta(days=1), zone))
        return events

    def chips(self, actors: Mapping[str, str], record_label: str) -> list[Chip]:
        """Label, value and parameter of each filter that is on."""
        on = [
            ("Who", actors.get(self.actor, f"Member {self.actor}") if self.actor else "", "actor"),
            ("What", written(Verb(self.verb)) if self.verb else "", "verb"),
            ("Record", record_label if self.record else "", "record"),
            ("From", f"{self.since:%-d %b %Y}" if self.since else "", "since"),
            ("To", f"{self.until:%-d %b %Y}" if self.until else "", "until"),
        ]
        return [chip for chip in on if chip[1]]


def written(verb: Verb) -> str:
    """ "Gave an account manager to"."""
    return verb.label[:1].upper() + verb.label[1:]


def _record(text: str) -> str:
    target_type, _, target_id = text.partition(":")
    number = parameters.number(target_id)
    return f"{target_type}:{number}" if target_type and number is not None else ""


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone))
