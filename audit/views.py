"""The audit log, newest first: who did what to which record, before and after, when and from where."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar, Final

from accounts.pages import ConsolePage
from accounts.pagination import capped_count, paginate, written_count
from audit.filters import SYSTEM, Filters, written
from audit.lines import line, split_label
from audit.models import AuditEvent
from audit.querysets import actors_known_to
from audit.services import SYSTEM_LABEL
from audit.verbs import Verb

NEWEST_FIRST: Final = ("-at", "-id")


class EventListView(ConsolePage):
    capability: ClassVar[str | None] = "audit.view"
    template_name = "audit/event_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        filters = Filters.parse(self.request.GET)
        events = filters.apply(AuditEvent.objects.visible_to(self.member), self.member.organization.time_zone)
        page = paginate(events, order=NEWEST_FIRST, **self.cursors)
        actors = _names(actors_known_to(self.member)) | {SYSTEM: SYSTEM_LABEL}
        record_label = page.rows[0].target_label if page.rows else filters.record
        return super().get_context_data(
            filters=filters,
            actors=actors,
            verbs=sorted(((verb.value, written(verb)) for verb in Verb), key=lambda choice: choice[1]),
            chips=filters.chips(actors, record_label),
            lines=[line(event, self.member) for event in page.rows],
            page=page,
            range_text=written_count(capped_count(events), "event"),
            **kwargs,
        )


def _names(actors: list[tuple[int, str]]) -> dict[str, str]:
    """Names without e-mail addresses, except where two people have the same one."""
    names = {pk: split_label(label)[0] for pk, label in actors}
    often = Counter(names.values())
    return {str(pk): label if often[names[pk]] > 1 else names[pk] for pk, label in actors}
