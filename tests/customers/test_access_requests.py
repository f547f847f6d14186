"""Access for a time: asked for, granted, declined, or taken in an emergency and reviewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.errors import AccessNotNeeded, AlreadyRequested, AlreadyReviewed, ReasonMissing, RequestClosed
from customers.lens import keepers
from customers.models import AccessRequest, Cover, Customer, TemporaryAccess
from customers.policy import may
from customers.services.access import (
    decline_access,
    grant_access,
    request_access,
    review_emergency,
    use_emergency_access,
)
from lendconsole.errors import DomainError, NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from notifications.letters import Undeliverable, find_letter
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams.capabilities import Capability, Reach
from teams.models import Member
from tests import factories
from tests.customers.pages import traces, words
from tests.pages import statements
from tests.world import Lender, World

VIEW = Capability.CUSTOMERS_VIEW
WHY = "Asks about a repayment"


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk):
        yield world.kudi


def ask(lender: Lender, role: str = "customer_support", key: str = "own", **facts: Any) -> AccessRequest:
    facts = {"reason": WHY, "hours": 24, **facts}
    return request_access(actor=lender[role], customer=lender.customers[key], **facts)


def told(kind: str) -> set[str]:
    return set(
        OutgoingEmail.objects.filter(kind=f"customers/{kind}", state="pending").values_list("recipient", flat=True)
    )


def refused(lender: Lender, error: type[DomainError], act: Callable[[], Any]) -> str:
    """Nothing changed, nobody was mailed, nothing was written down."""
    before = (traces(lender), list(AccessRequest.objects.values()), list(TemporaryAccess.objects.values()))
    with pytest.raises(error) as caught:
        act()
    assert (traces(lender), list(AccessRequest.objects.values()), list(TemporaryAccess.objects.values())) == before
    return str(caught.value)


def emergency_role(lender: Lender, **reaches: str) -> Member:
    held = {
        Capability.CUSTOMERS_FIND: Reach.ORGANIZATION,
        VIEW: Reach.OWN,
        Capability.CUSTOMERS_EMERGENCY: Reach.ORGANIZATION,
        **reaches,
    }
    role = factories.RoleFactory(organization=lender.organization, reaches=held)
    member: Member = factories.MemberFactory(organization=lender.organization, role=role, office=lender.branch)
    return member


def test_a_request_goes_to_those_who_keep_the_customer(kudi: Lender) -> None:
    request = ask(kudi)
    assert told("access_requested") == {kudi[role].user.email for role in ("account_manager", "admin", "super_admin")}
    event = AuditEvent.objects.get(verb=Verb.ACCESS_REQUESTED)
    assert (event.actor_id, event.reason, event.after) == (kudi["customer_support"].pk, WHY, {"time": "1 day"})
    assert request.expires_at - request.created_at == timedelta(days=7)
    assert not may(kudi["customer_support"], VIEW, kudi.customers["own"])


def test_who_stands_in_for_the_account_manager_decides_too(kudi: Lender) -> None:
    cover = {"covered": kudi["account_manager"], "substitute": kudi["other_manager"]}
    Cover.objects.create(**cover, ends_at=timezone.now() + timedelta(days=1))
    request = ask(kudi)
    assert kudi["other_manager"].user.email in told("access_requested")
    grant_access(actor=kudi["other_manager"], request=request, hours=1)


def test_those_who_keep_a_customer_agree_with_the_rule(kudi: Lender) -> None:
    for customer in kudi.customers.values():
        by_rule = {
            member.pk
            for member in kudi.members.values()
            if Customer.objects.kept_by(member).filter(pk=customer.pk).exists()
        }
        assert {member.pk for member in keepers(Customer.objects.get(pk=customer.pk))} == by_rule


def test_granting_opens_the_customer_for_the_time_and_no_longer(kudi: Lender) -> None:
    request = ask(kudi, hours=168)
    access = grant_access(actor=kudi["account_manager"], request=request, hours=1)
    support, own = kudi["customer_support"], kudi.customers["own"]
    assert may(support, VIEW, own)
    assert not may(support, Capability.CUSTOMERS_EDIT, own)
    assert access.ends_at - access.starts_at == timedelta(hours=1)
    assert told("access_requested") == set()
    assert told("access_decided") == {support.user.email}
    assert AuditEvent.objects.get(verb=Verb.ACCESS_GRANTED).after == {"team_member": support.name, "time": "1 hour"}
    past = timezone.now() - timedelta(hours=2)
    TemporaryAccess.objects.update(starts_at=past, ends_at=past + timedelta(hours=1))
    assert not may(support, VIEW, own)
    ask(kudi)


def test_declining_says_why(kudi: Lender) -> None:
    decline_access(actor=kudi["admin"], request=ask(kudi), answer="Ask Account, please")
    email = OutgoingEmail.objects.get(kind="customers/access_decided")
    assert email.recipient == kudi["customer_support"].user.email
    assert "Ask Account, please" in render_body(email, kudi.organization).text
    assert not may(kudi["customer_support"], VIEW, kudi.customers["own"])
    assert AuditEvent.objects.get(verb=Verb.ACCESS_DECLINED).reason == "Ask Account, please"


def test_one_request_waits_at_a_time(kudi: Lender) -> None:
    request = ask(kudi)
    refused(kudi, AlreadyRequested, lambda: ask(kudi))
    ask(kudi, role="loan_officer")
    AccessRequest.objects.filter(pk=request.pk).update(expires_at=timezone.now())
    ask(kudi)
    request.refresh_from_db()
    assert request.state == AccessRequest.State.EXPIRED


def test_there_is_nothing_to_ask_for(kudi: Lender) -> None:
    for role, key, error in (
        ("admin", "own", AccessNotNeeded),
        ("customer_support", "free", AccessNotNeeded),
        ("other_manager", "own", NotVisible),
        ("no_users_unit", "own", NotVisible),
    ):
        refused(kudi, error, lambda role=role, key=key: ask(kudi, role=role, key=key))
    finder = emergency_role(kudi, **{VIEW: Reach.NONE})
    kudi.members["finder"] = finder
    assert "Open full profiles" in refused(kudi, PermissionMissing, lambda: ask(kudi, role="finder"))


def test_who_may_not_decide(kudi: Lender) -> None:
    request = ask(kudi)
    for role, error in (
        ("customer_support", PermissionMissing),
        ("compliance", PermissionMissing),
        ("loan_officer", NotVisible),
        ("other_manager", NotVisible),
        ("deactivated", NotVisible),
    ):
        for act in (
            lambda actor: grant_access(actor=actor, request=request, hours=1),
            lambda actor: decline_access(actor=actor, request=request, answer="No"),
        ):
            refused(kudi, error, lambda act=act, role=role: act(kudi[role]))


def test_nobody_decides_their_own_request(kudi: Lender) -> None:
    """Even where the role that may choose account managers sees the card alone."""
    role = factories.RoleFactory(
        organization=kudi.organization,
        reaches=dict.fromkeys((Capability.CUSTOMERS_FIND, VIEW), Reach.ORGANIZATION)
        | {Capability.CUSTOMERS_ASSIGN: Reach.OWN},
    )
    member = factories.MemberFactory(organization=kudi.organization, role=role, office=kudi.branch)
    kudi.members["chooser"] = member
    request = ask(kudi, role="chooser")
    factories.emergency(kudi.customers["own"], member)
    TemporaryAccess.objects.update(ends_at=timezone.now() + timedelta(hours=1))
    assert Customer.objects.kept_by(member).filter(pk=kudi.customers["own"].pk).exists()
    said = refused(kudi, PermissionMissing, lambda: grant_access(actor=member, request=request, hours=168))
    assert said == "Nobody decides their own request."


def test_a_request_is_decided_once_and_in_time(kudi: Lender) -> None:
    request, late = ask(kudi), ask(kudi, role="loan_officer")
    grant_access(actor=kudi["admin"], request=request, hours=1)
    said = refused(kudi, RequestClosed, lambda: decline_access(actor=kudi["super_admin"], request=request, answer="No"))
    assert kudi["admin"].name in said
    AccessRequest.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    assert "expired" in refused(kudi, RequestClosed, lambda: grant_access(actor=kudi["admin"], request=late, hours=1))


def test_letters_look_again_before_they_leave(kudi: Lender) -> None:
    request = ask(kudi)
    letters = {email.recipient: email for email in OutgoingEmail.objects.filter(kind="customers/access_requested")}
    first = letters[kudi["account_manager"].user.email]
    text = render_body(first, kudi.organization).text
    assert WHY in text
    assert kudi.url("access-requests/") in text
    decline_access(actor=kudi["admin"], request=request, answer="No")
    with pytest.raises(Undeliverable):
        find_letter(first.kind).build(first)


def test_emergency_access_opens_at_once_and_tells(kudi: Lender) -> None:
    member, own = emergency_role(kudi), kudi.customers["own"]
    access = use_emergency_access(actor=member, customer=own, reason="Card stolen, on the phone")
    assert may(member, VIEW, own)
    assert access.ends_at - access.starts_at == timedelta(minutes=30)
    keepers_and_overseers = ("account_manager", "admin", "super_admin", "compliance")
    assert told("emergency_access") == {kudi[role].user.email for role in keepers_and_overseers}
    event = AuditEvent.objects.get(verb=Verb.EMERGENCY_OPENED)
    assert (event.actor_id, event.reason) == (member.pk, "Card stolen, on the phone")
    texts = {each.recipient: render_body(each, kudi.organization).text for each in OutgoingEmail.objects.all()}
    assert "Please review it" in texts[kudi["compliance"].user.email]
    assert "Please review it" not in texts[kudi["account_manager"].user.email]


def test_who_has_no_emergency(kudi: Lender) -> None:
    member, own = emergency_role(kudi), kudi.customers["own"]
    near = emergency_role(kudi, **{Capability.CUSTOMERS_FIND: Reach.OFFICE})
    distant = kudi.customers["distant"]
    cases: list[tuple[Member, Customer, str, type[DomainError]]] = [
        (kudi["customer_support"], own, "A good reason", PermissionMissing),
        (kudi["deactivated"], own, "A good reason", PermissionMissing),
        (kudi["admin"], own, "A good reason", AccessNotNeeded),
        (member, own, "too short", ReasonMissing),
        (near, distant, "A good reason", NotVisible),
    ]
    for actor, customer, reason, error in cases:
        refused(
            kudi,
            error,
            lambda actor=actor, customer=customer, reason=reason: use_emergency_access(
                actor=actor, customer=customer, reason=reason
            ),
        )


def test_only_the_highest_roles_hold_the_permission(kudi: Lender) -> None:
    """They see everything already; they hold it to be able to give it to a role of the lender's own."""
    holding = {name for name, role in kudi.roles.items() if role.reach(Capability.CUSTOMERS_EMERGENCY) != Reach.NONE}
    assert holding == {"super_admin", "admin"}


def test_somebody_else_reviews_it_once(kudi: Lender) -> None:
    access = factories.emergency(kudi.customers["own"], kudi["admin"])
    for role, error in (
        ("admin", PermissionMissing),
        ("account_manager", PermissionMissing),
        ("customer_support", PermissionMissing),
        ("other_manager", NotVisible),
    ):
        refused(kudi, error, lambda role=role: review_emergency(actor=kudi[role], access=access))
    reviewed = review_emergency(actor=kudi["compliance"], access=access)
    assert reviewed.reviewed_by == kudi["compliance"]
    assert AuditEvent.objects.get(verb=Verb.EMERGENCY_REVIEWED).after == {"team_member": kudi["admin"].name}
    refused(kudi, AlreadyReviewed, lambda: review_emergency(actor=kudi["super_admin"], access=access))
    granted = TemporaryAccess.objects.create(
        customer=kudi.customers["own"],
        member=kudi["customer_support"],
        kind="request",
        ends_at=timezone.now() + timedelta(hours=1),
        reason="x",
    )
    refused(kudi, NotVisible, lambda: review_emergency(actor=kudi["compliance"], access=granted))


def test_the_way_from_the_card_to_the_profile(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    profile = kudi.url(f"customers/{own.pk}/")
    support, manager = kudi.client("customer_support"), kudi.client("account_manager")
    assert "Request access" in words(support.get(profile))
    assert "Emergency" not in words(support.get(profile))
    data = {"submission_key": str(uuid4()), "reason": WHY, "hours": 24}
    for _ in range(2):
        assert support.post(f"{profile}request-access/", data).status_code == 302
    assert "Nobody has decided yet" in words(support.get(profile))
    listed = words(manager.get(kudi.url("access-requests/")))
    assert WHY in listed
    assert '<span class="sidebar-count">' in listed
    with organization_context(kudi.organization.pk):
        request = AccessRequest.objects.get()
    grant = kudi.url(f"access-requests/{request.pk}/grant/")
    assert manager.post(grant, {"submission_key": str(uuid4()), "hours": 1}).status_code == 302
    assert "Nothing waits for you." in words(manager.get(kudi.url("access-requests/")))
    assert "Granted" in words(support.get(kudi.url("access-requests/")))
    opened = words(support.get(profile))
    assert "Personal information" in opened
    assert "Requested access until" in opened
    assert "Requested access until" not in words(manager.get(profile))


def test_emergency_access_asks_who_sits_there_and_is_reviewed_from_the_list(world: World) -> None:
    kudi, own = world.kudi, world.kudi.customers["own"]
    with organization_context(kudi.organization.pk):
        kudi.members["guard"] = emergency_role(kudi)
    guard, url = kudi.client("guard"), kudi.url(f"customers/{own.pk}/emergency-access/")
    session = guard.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    assert "/reauthenticate/" in guard.get(url)["Location"]
    assert guard.post(url, {"submission_key": str(uuid4()), "reason": "Card stolen"}).status_code == 422
    guard = kudi.client("guard")
    assert guard.post(url, {"submission_key": str(uuid4()), "reason": "Short"}).status_code == 422
    assert guard.post(url, {"submission_key": str(uuid4()), "reason": "Card stolen"}).status_code == 302
    opened = words(guard.get(kudi.url(f"customers/{own.pk}/")))
    assert "Personal information" in opened
    assert "Emergency access until" in opened
    compliance = kudi.client("compliance")
    with organization_context(kudi.organization.pk):
        access = TemporaryAccess.objects.get()
    assert "Card stolen" in words(compliance.get(kudi.url("emergency-access/?show=open")))
    compliance.post(kudi.url(f"emergency-access/{access.pk}/review/"))
    assert "Everything is reviewed." in words(compliance.get(kudi.url("emergency-access/?show=open")))


@pytest.mark.parametrize("path", ["access-requests/", "emergency-access/"])
def test_lists_ask_the_same_for_few_and_many(world: World, path: str) -> None:
    kudi = world.kudi
    client = kudi.client("admin")

    def more(count: int) -> None:
        with organization_context(kudi.organization.pk):
            for _ in range(count):
                asker = factories.MemberFactory(
                    organization=kudi.organization, role=kudi.roles["customer_support"], office=kudi.branch
                )
                factories.request(kudi.customers["own"], asker)
                factories.emergency(kudi.customers["own"], asker)

    more(1)
    client.get(kudi.url(path))
    few = statements(client, kudi.url(path))
    more(24)
    assert len(statements(client, kudi.url(path))) == len(few)


@pytest.mark.parametrize(("role", "shown"), [("admin", 2), ("compliance", 1), ("loan_officer", 0)])
def test_what_waits_for_somebody_costs_their_pages_one_statement_more(world: World, role: str, shown: int) -> None:
    kudi = world.kudi
    client, url = kudi.client(role), kudi.url("")
    client.get(url)
    few = statements(client, url)
    with organization_context(kudi.organization.pk):
        factories.request(kudi.customers["own"], kudi["customer_support"])
        factories.emergency(kudi.customers["own"], kudi["customer_support"])
    assert len(statements(client, url)) == len(few) + 1
    assert words(client.get(url)).count('<span class="sidebar-count">') == shown
    assert len(statements(client, kudi.url("customers/?q=own"))) <= 8
