"""Standing in: who may name whom, when it begins and ends, and where it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.errors import CoverOverlaps, DatesWrong, SubstituteNotEligible
from customers.models import Cover
from customers.policy import may
from customers.services.cover import end_cover, name_substitute
from lendconsole.errors import DomainError, NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.letters import Undeliverable, find_letter
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams.capabilities import Capability, Reach
from teams.models import Member
from tests import factories
from tests.customers.pages import traces, words
from tests.world import Lender, World

VIEW = Capability.CUSTOMERS_VIEW


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk), timezone.override(world.kudi.organization.time_zone):
        yield world.kudi


def day(number: int) -> date:
    return timezone.localdate() + timedelta(days=number)


def name(lender: Lender, actor: str = "admin", first: int = 0, last: int = 2, **facts: Any) -> Cover:
    people: dict[str, Member] = {"covered": lender["account_manager"], "substitute": lender["other_manager"]}
    days = {"first_day": day(first), "last_day": day(last)}
    return name_substitute(actor=lender[actor], **{**people, **days, **facts})


def refused(lender: Lender, error: type[DomainError], act: Callable[[], Any]) -> str:
    before = (traces(lender), list(Cover.objects.values()))
    with pytest.raises(error) as caught:
        act()
    assert (traces(lender), list(Cover.objects.values())) == before
    return str(caught.value)


def test_the_substitute_works_the_customers_until_the_last_day_ends(kudi: Lender) -> None:
    own, substitute = kudi.customers["own"], kudi["other_manager"]
    cover = name(kudi, reason="On leave")
    assert may(substitute, VIEW, own)
    assert may(substitute, Capability.CUSTOMERS_EDIT, own)
    assert may(kudi["account_manager"], VIEW, own)
    assert timezone.localtime(cover.ends_at).isoformat()[:16] == f"{day(3).isoformat()}T00:00"
    event = AuditEvent.objects.get(verb=Verb.COVER_NAMED)
    assert event.target_id == kudi["account_manager"].pk
    assert event.after == {"substitute": substitute.name, "from": day(0).isoformat(), "until": day(2).isoformat()}
    emails = {each.recipient: render_body(each, kudi.organization).text for each in OutgoingEmail.objects.all()}
    assert set(emails) == {substitute.user.email, kudi["account_manager"].user.email}
    assert f"you stand in for {kudi['account_manager'].name}" in emails[substitute.user.email]
    assert "Your customers stay dedicated to you." in emails[kudi["account_manager"].user.email]
    past = timezone.now() - timedelta(days=9)
    Cover.objects.update(starts_at=past, ends_at=past + timedelta(days=1))
    assert not may(substitute, VIEW, own)


def test_it_begins_on_its_first_day(kudi: Lender) -> None:
    cover = name(kudi, first=5, last=6)
    assert timezone.localtime(cover.starts_at).isoformat()[:16] == f"{day(5).isoformat()}T00:00"
    assert not may(kudi["other_manager"], VIEW, kudi.customers["own"])


def test_an_absent_member_names_their_own(kudi: Lender) -> None:
    name(kudi, actor="account_manager")
    assert may(kudi["other_manager"], VIEW, kudi.customers["own"])


def test_who_may_neither_name_nor_end(kudi: Lender) -> None:
    cover = factories.cover(kudi["account_manager"], kudi["loan_officer"])
    for actor, error in (
        ("other_manager", NotVisible),
        ("customer_support", NotVisible),
        ("compliance", PermissionMissing),
        ("no_users_unit", PermissionMissing),
    ):
        refused(kudi, error, lambda actor=actor: name(kudi, actor=actor))
        refused(kudi, error, lambda actor=actor: end_cover(actor=kudi[actor], cover=cover))


def test_who_cannot_stand_in(kudi: Lender, world: World) -> None:
    for substitute in ("no_users_unit", "deactivated", "account_manager"):
        refused(kudi, SubstituteNotEligible, lambda key=substitute: name(kudi, substitute=kudi[key]))
    refused(kudi, SubstituteNotEligible, lambda: name(kudi, substitute=world.rival["admin"]))
    refused(kudi, SubstituteNotEligible, lambda: name(kudi, covered=kudi["no_users_unit"]))


def test_nobody_takes_the_customers_of_others_for_themselves(kudi: Lender) -> None:
    reaches = {Capability.MEMBERS_MANAGE: Reach.ORGANIZATION, **kudi.roles["account_manager"].reaches}
    role = factories.RoleFactory(organization=kudi.organization, reaches=reaches)
    lead = factories.MemberFactory(organization=kudi.organization, role=role, office=kudi.branch)
    kudi.members["lead"] = lead
    refused(kudi, SubstituteNotEligible, lambda: name(kudi, actor="lead", substitute=lead))
    name(kudi, actor="lead")
    name(kudi, covered=kudi["loan_officer"], substitute=kudi["admin"])


def test_days_that_do_not_fit(kudi: Lender) -> None:
    for first, last in ((-1, 3), (3, 2), (0, 400)):
        refused(kudi, DatesWrong, lambda first=first, last=last: name(kudi, first=first, last=last))


def test_one_substitute_at_a_time_who_is_there(kudi: Lender) -> None:
    name(kudi, first=5, last=6)
    refused(kudi, CoverOverlaps, lambda: name(kudi, first=6, last=9, substitute=kudi["loan_officer"]))
    refused(
        kudi,
        CoverOverlaps,
        lambda: name(kudi, first=0, last=5, covered=kudi["loan_officer"], substitute=kudi["account_manager"]),
    )
    name(kudi, first=7, last=9, substitute=kudi["loan_officer"])


def test_ending_early_takes_access_at_once_and_tells_both(kudi: Lender) -> None:
    cover = name(kudi)
    OutgoingEmail.objects.update(state="sent")
    end_cover(actor=kudi["account_manager"], cover=cover)
    assert not may(kudi["other_manager"], VIEW, kudi.customers["own"])
    assert OutgoingEmail.objects.filter(kind="customers/cover_ended").count() == 2
    assert AuditEvent.objects.get(verb=Verb.COVER_ENDED).before["until"] == day(2).isoformat()
    before = traces(kudi)
    end_cover(actor=kudi["account_manager"], cover=cover)
    assert traces(kudi) == before
    late = OutgoingEmail.objects.filter(kind="customers/cover_named")[0]
    with pytest.raises(Undeliverable):
        find_letter(late.kind).build(late)


def test_what_never_began_and_was_never_told_leaves_no_mail(kudi: Lender) -> None:
    end_cover(actor=kudi["admin"], cover=name(kudi, first=5, last=6))
    assert not Cover.objects.exists()
    assert not OutgoingEmail.objects.filter(state="pending").exists()


def test_where_it_shows(world: World) -> None:
    kudi = world.kudi
    manager, substitute = kudi["account_manager"], kudi["other_manager"]
    url = kudi.url(f"settings/members/{manager.pk}/cover/")
    data = {"substitute": substitute.pk, "first_day": kudi.today, "last_day": kudi.today}
    own = kudi.client("account_manager")
    assert "Name a substitute" in words(own.get(kudi.url("membership/")))
    assert own.post(url, {**data, "submission_key": str(uuid4())}).status_code == 302
    assert "stands in then already" not in words(own.get(url))
    again = own.post(url, {**data, "submission_key": str(uuid4())})
    assert again.status_code == 422
    assert "End that first." in words(again)
    sentence = f"{substitute.name} stands in for {manager.name}"
    assert sentence in words(own.get(kudi.url("membership/")))
    assert sentence in words(kudi.client("compliance").get(kudi.url(f"settings/members/{manager.pk}/profile/")))
    office = words(kudi.client("customer_support").get(kudi.url(f"customers/{kudi.customers['own'].pk}/")))
    assert f", {substitute.name} stands in" in office
    with organization_context(kudi.organization.pk):
        cover = Cover.objects.get()
    assert own.post(kudi.url(f"settings/covers/{cover.pk}/end/"), {"submission_key": str(uuid4())}).status_code == 302
    assert sentence not in words(own.get(kudi.url("membership/")))
