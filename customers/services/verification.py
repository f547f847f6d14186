"""Is this really the account manager? The codes that answer it to the public."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from customers.codes import manager_digest, new_manager_code, spaced, tidy
from customers.models import Assignment, ManagerCode
from notifications.links import absolute_url
from teams.models import Member

ANSWERED_AFTER_END: Final = timedelta(days=90)
"""So long a code still says that somebody is no longer the account manager; then it is as unknown as any other."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`ended_at` is there when the period is over; a member who can no longer act is not the manager either."""

    manager: Member
    is_present: bool
    ended_at: datetime | None


def new_code(assignment: Assignment) -> str:
    """For the e-mail to the customer that is being written. It lives as long as the assignment and is stored as a hash."""
    code = new_manager_code()
    ManagerCode.objects.create(
        organization_id=assignment.organization_id, assignment=assignment, digest=manager_digest(code)
    )
    return spaced(code, "-")


def check_url(organization: Organization, code: str) -> str:
    return absolute_url(reverse("customers_public:borrower_check_link", args=[organization.slug, code]))


def check_code(*, organization: Organization, code: str) -> Answer | None:
    """None for a code that is unknown, another lender's or long over: one statement and one answer for all of them."""
    found = find_code(organization, code)
    if found is None:
        return None
    manager, ended_at = found.assignment.manager, found.assignment.ended_at
    return Answer(manager=manager, is_present=ended_at is None and manager.is_active, ended_at=ended_at)


def find_code(organization: Organization, code: str) -> ManagerCode | None:
    """As it is typed."""
    people = ("assignment__manager__user", "assignment__manager__office", "assignment__manager__organization")
    lately = Q(assignment__ended_at=None) | Q(assignment__ended_at__gt=timezone.now() - ANSWERED_AFTER_END)
    codes = ManagerCode.objects.filter(lately, organization=organization, digest=manager_digest(tidy(code)))
    return codes.select_related(*people, "assignment__customer").first()
