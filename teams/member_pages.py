"""What a member's own page shows, cut down to what the reader may know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Value
from django.db.models.functions import JSONArray
from django.utils import timezone

from accounts.browsers import describe_browser
from audit.lines import Line, line
from audit.models import AuditEvent
from lendconsole.errors import NotVisible
from teams.capabilities import Capability
from teams.models import Invitation, Member
from teams.policy import may_touch
from teams.role_words import Allowed, allowed

SHOWN: Final = 10
RECORD: Final = "teams.member"


@dataclass(frozen=True, slots=True)
class OpenSession:
    browser: str
    signed_in_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class MemberPageFacts:
    """`trail_by` and `trail_of` stay empty for readers without the audit log, `invitations` for those who may not invite.

    `sessions` are the login's, wherever it is used; they stay empty for those who may not end them.
    """

    target: Member
    since: datetime
    allowed: tuple[Allowed, ...]
    can_manage: bool
    can_deactivate: bool
    sessions: list[OpenSession] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    trail_by: list[Line] = field(default_factory=list)
    trail_of: list[Line] = field(default_factory=list)


def visible_member(member: Member, pk: int) -> Member:
    """Who was removed is shown to readers of the audit log alone, as history. Raises NotVisible."""
    rows: Any = Member.objects.visible_to(member).filter(pk=pk)
    if not member.may(Capability.AUDIT_VIEW):
        rows = rows.present()
    rows = rows.with_customer_count().with_second_factor().with_held().with_offices_below().select_related("user")
    target: Member | None = rows.annotate(sessions=_open_sessions()).first()
    if target is None:
        raise NotVisible
    target.organization = member.organization
    target.read_held()
    return target


def member_page(member: Member, pk: int) -> MemberPageFacts:
    target = visible_member(member, pk)
    trails = _trails(member, target) if member.may(Capability.AUDIT_VIEW) else {}
    sent = Invitation.objects.visible_to(member).open().filter(invited_by=target).select_related("role", "office")
    is_present = target.status != Member.Status.REMOVED
    can_deactivate = is_present and may_touch(member, target, Capability.MEMBERS_DEACTIVATE)
    return MemberPageFacts(
        target=target,
        since=target.deactivated_at or target.joined_at,
        allowed=allowed(target.role),
        can_manage=is_present and may_touch(member, target, Capability.MEMBERS_MANAGE),
        can_deactivate=can_deactivate,
        sessions=_read_sessions(target) if can_deactivate else [],
        invitations=list(sent.order_by("-sent_at", "-pk")[:SHOWN]),
        **trails,
    )


def _open_sessions() -> ArraySubquery:
    """Without those that are over by having been left alone."""
    alive = timezone.now() - timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    rows = UserSession.objects.filter(user=OuterRef("user"), last_seen_at__gt=alive).order_by("-last_seen_at")
    return ArraySubquery(rows.values(facts=JSONArray("user_agent", "created_at", "last_seen_at"))[:SHOWN])


def _read_sessions(target: Any) -> list[OpenSession]:
    return [
        OpenSession(describe_browser(agent), datetime.fromisoformat(since), datetime.fromisoformat(seen))
        for agent, since, seen in target.sessions
    ]


def _trails(member: Member, target: Member) -> dict[str, list[Line]]:
    """Each by an index of its own, both in one statement."""
    events = AuditEvent.objects.visible_to(member).order_by("-at", "-id")
    conditions: dict[str, dict[str, Any]] = {
        "trail_by": {"actor_id": target.pk},
        "trail_of": {"target_type": RECORD, "target_id": target.pk},
    }
    by, of = (events.filter(**condition).annotate(trail=Value(name))[:SHOWN] for name, condition in conditions.items())
    found = list(by.union(of, all=True).order_by("-at", "-id"))
    return {name: [line(event, member) for event in found if event.trail == name] for name in conditions}
