"""Standing in for an absent account manager: from one day to another, by the clock. The rule itself is in customers.access."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from audit.services import record
from audit.verbs import Verb
from customers.emails.access import announce_cover
from customers.errors import CoverOverlaps, DatesWrong, SubstituteNotEligible
from customers.models import Cover
from customers.policy import eligible_members, require_cover
from lendconsole.errors import NotVisible
from teams.capabilities import Capability
from teams.models import Member

LONGEST: Final = timedelta(days=366)


@transaction.atomic
def name_substitute(
    *, actor: Member, covered: Member, substitute: Member, first_day: date, last_day: date, reason: str = ""
) -> Cover:
    """From the first day (at once, if that is today) to the end of the last one the substitute works the customers as own.

    Raises NotVisible, PermissionMissing, SubstituteNotEligible, DatesWrong or CoverOverlaps.
    """
    require_cover(actor, covered)
    covered, substitute = _lock_pair(actor, covered, substitute)
    starts_at, ends_at = _moments(actor, first_day, last_day)
    _refuse_overlaps(covered, substitute, starts_at, ends_at)
    cover = Cover.objects.create(
        organization=actor.organization,
        covered=covered,
        substitute=substitute,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
    )
    record(
        actor=actor,
        verb=Verb.COVER_NAMED,
        target=covered,
        after={"substitute": substitute.name, "from": first_day.isoformat(), "until": last_day.isoformat()},
        reason=reason,
    )
    announce_cover(cover=cover, actor=actor, is_over=False)
    return cover


@transaction.atomic
def end_cover(*, actor: Member, cover: Cover) -> None:
    """At once, or before it has begun. One that is over stays as it is. Raises NotVisible or PermissionMissing."""
    row: Cover | None = (
        Cover.objects.select_for_update(of=("self",))
        .select_related("covered__user", "covered__role", "substitute__user")
        .filter(organization=actor.organization, pk=cover.pk)
        .first()
    )
    if row is None:
        raise NotVisible
    require_cover(actor, row.covered)
    now = timezone.now()
    if row.ends_at <= now:
        return
    record(
        actor=actor,
        verb=Verb.COVER_ENDED,
        target=row.covered,
        before={"substitute": row.substitute.name, "until": _last_day(actor, row.ends_at).isoformat()},
    )
    announce_cover(cover=row, actor=actor, is_over=True)
    if row.starts_at >= now:
        row.delete()
    else:
        row.ends_at = now
        row.save(update_fields=["ends_at"])


def _lock_pair(actor: Member, covered: Member, substitute: Member) -> tuple[Member, Member]:
    """Both as they are now, locked so that nobody names another substitute meanwhile. Raises SubstituteNotEligible."""
    people = Member.objects.for_organization(actor.organization).filter(pk__in=[covered.pk, substitute.pk])
    list(people.order_by("pk").select_for_update(no_key=True))
    eligible = {member.pk: member for member in eligible_members(actor.organization).filter(pk__in=people.values("pk"))}
    if covered.pk not in eligible:
        raise SubstituteNotEligible(
            f"Nobody needs to stand in for {covered.name}, who cannot be an account manager now."
        )
    if substitute.pk not in eligible or substitute.pk == covered.pk:
        raise SubstituteNotEligible("This member cannot stand in now. Choose another one.")
    if substitute.pk == actor.pk and not actor.may(Capability.CUSTOMERS_ASSIGN):
        raise SubstituteNotEligible(
            "Nobody takes over the customers of others for themselves. Ask somebody else to name you."
        )
    return eligible[covered.pk], eligible[substitute.pk]


def _moments(actor: Member, first_day: date, last_day: date) -> tuple[datetime, datetime]:
    zone = ZoneInfo(actor.organization.time_zone)
    now = timezone.now()
    today = now.astimezone(zone).date()
    if first_day < today:
        raise DatesWrong("This day has passed. Begin today or later.", field="first_day")
    if last_day < first_day:
        raise DatesWrong("The last day is before the first one.", field="last_day")
    if last_day - first_day > LONGEST:
        raise DatesWrong("Choose at most a year.", field="last_day")
    starts_at = now if first_day == today else datetime.combine(first_day, time(), zone)
    return starts_at, datetime.combine(last_day + timedelta(days=1), time(), zone)


def _last_day(actor: Member, ends_at: datetime) -> date:
    return (ends_at.astimezone(ZoneInfo(actor.organization.time_zone)) - timedelta(microseconds=1)).date()


def _refuse_overlaps(covered: Member, substitute: Member, starts_at: datetime, ends_at: datetime) -> None:
    """One substitute at a time, and nobody who is stood in for themselves meanwhile."""
    overlapping = Cover.objects.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).select_related("substitute__user")
    for cover in overlapping.filter(covered__in=[covered.pk, substitute.pk]):
        if cover.covered_id == covered.pk:
            raise CoverOverlaps(f"{cover.substitute.name} stands in for {covered.name} then already. End that first.")
        raise CoverOverlaps(f"{substitute.name} is absent then: {cover.substitute.name} stands in.", field="substitute")
