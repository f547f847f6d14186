"""Exclusive assignments on or off: the preview is what is measured afterwards, and nobody opens customers to themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from customers.exclusiveness import exclusiveness_effects
from customers.models import Cover, Customer, TemporaryAccess
from customers.services.settings import set_exclusive_assignments
from lendconsole.errors import PermissionMissing
from teams.capabilities import Capability
from teams.models import Member
from tests import factories
from tests.pages import statements
from tests.teams.support import extra_member, fresh, inside, refused, verbs
from tests.world import Lender, World

URL = "settings/organization/exclusive-assignments/"


@pytest.fixture
def busy(world: World) -> Lender:
    """With customers of everybody everywhere, cover, temporary access, and roles of every reach."""
    kudi = world.kudi
    organization, now = kudi.organization, timezone.now()
    with inside(kudi):
        local = factories.RoleFactory(
            organization=organization,
            reaches={"customers.find": "organization", "customers.view": "organization", "customers.oversee": "office"},
        )
        people = [extra_member(kudi, "", role=local, office=office) for office in (kudi.head, kudi.branch)]
        people += [extra_member(kudi, role, office=kudi.other_branch) for role in ("loan_officer", "customer_support")]
        for number in range(12):
            office = (kudi.branch, kudi.other_branch, kudi.head)[number % 3]
            customer = factories.CustomerFactory(organization=organization, office=office)
            if number % 4:
                factories.dedicate(customer, [*people, kudi["account_manager"]][number % 5])
        facts = {
            "organization": organization,
            "starts_at": now - timedelta(hours=1),
            "ends_at": now + timedelta(hours=1),
        }
        Cover.objects.create(covered=kudi["other_manager"], substitute=people[3], **facts)
        TemporaryAccess.objects.create(member=people[2], customer=kudi.customers["own"], **facts)
    return kudi


def measured(lender: Lender) -> dict[int, set[int]]:
    rows = Member.objects.active().for_organization(lender.organization)
    return {
        row.pk: set(Customer.objects.permitted(fresh(row), Capability.CUSTOMERS_VIEW).values_list("pk", flat=True))
        for row in rows
    }


@pytest.mark.parametrize("exclusive", [False, True])
def test_the_preview_is_what_happens(busy: Lender, exclusive: bool) -> None:
    with inside(busy):
        if exclusive:
            set_exclusive_assignments(actor=busy["admin"], exclusive=False)
        effects = exclusiveness_effects(fresh(busy.organization), exclusive=exclusive)
        before = measured(busy)
        set_exclusive_assignments(actor=busy["admin"], exclusive=exclusive)
        after = measured(busy)
        event = AuditEvent.objects.order_by("pk").last()
    (change,) = effects.sights
    assert change.is_gain is not exclusive
    differing = {pk: len(before[pk] ^ after[pk]) for pk in before if before[pk] != after[pk]}
    assert {row.member.pk: row.count for row in change.rows} == differing
    assert len(differing) > 4
    wider, narrower = (before, after) if exclusive else (after, before)
    assert all(narrower[pk] <= wider[pk] for pk in before)
    assert event.reason == effects.text
    assert event.after == {"exclusive_assignments": exclusive}


def test_the_same_again_changes_nothing(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        set_exclusive_assignments(actor=kudi["admin"], exclusive=True)
        assert verbs() == []
        assert not exclusiveness_effects(kudi.organization, exclusive=True).sights


def test_nobody_opens_customers_to_themselves(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        reaches = {
            "organization.settings": "organization",
            "customers.view": "organization",
            "customers.find": "organization",
        }
        role = factories.RoleFactory(organization=kudi.organization, reaches=reaches)
        member = extra_member(kudi, "", role=role)
    kudi.members["settings_alone"] = member
    for actor in ("settings_alone", "compliance", "customer_support"):
        with inside(kudi), refused(PermissionMissing):
            set_exclusive_assignments(actor=kudi[actor], exclusive=False)
    client = kudi.client("settings_alone")
    assert client.get(kudi.url(URL)).status_code == 403
    assert client.post(kudi.url(URL), {"exclusive": "no"}).status_code == 403
    page = client.get(kudi.url("settings/organization/")).content.decode()
    assert URL not in page


def test_the_page_says_who_and_how_many(busy: Lender) -> None:
    client = busy.client("admin")
    page = client.get(busy.url(URL)).content.decode()
    assert "can be opened in full by" in page
    assert busy["customer_support"].name in page
    assert client.post(busy.url(URL), {"exclusive": "no"}).status_code == 302
    assert not fresh(busy.organization).exclusive_assignments
    stale = client.post(busy.url(URL), {"exclusive": "no"})
    assert stale.status_code == 302
    assert not fresh(busy.organization).exclusive_assignments
    assert "can no longer be opened" in client.get(busy.url(URL)).content.decode()


def test_as_many_statements_for_many_members(busy: Lender) -> None:
    client = busy.client("admin")
    client.get(busy.url(URL))
    few = len(statements(client, busy.url(URL)))
    with inside(busy):
        for _ in range(20):
            extra_member(busy, "loan_officer", office=factories.OfficeFactory(organization=busy.organization))
    assert len(statements(client, busy.url(URL))) == few
