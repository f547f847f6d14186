"""Taking a change of many statuses back: who gets which status, whose stays, what is asked and what a dead worker leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from customers.bulk import carrying
from customers.errors import NothingToUndo, ReasonMissing
from customers.models import BulkChange, Customer, FormerStatus
from customers.services import bulk
from customers.services.bulk import undo_bulk_change
from customers.services.personal_data import erase_customer
from customers.services.records import change_customer_status
from customers.tasks import carry_out_bulk_change, forget_former_statuses
from lendconsole.errors import NotVisible, PermissionMissing
from lendconsole.tenancy import organization_context
from teams.models import Member
from tests.customers.bulk_support import STATUS, by_hand, carried_out, crowd, emails, start
from tests.customers.pages import traces, words
from tests.customers.test_bulk_pages import posted
from tests.world import Lender, World

Standing = dict[str, tuple[str, str]]
BLACKLIST = {"status": "blacklisted", "reason": "Forged papers"}


def standing(lender: Lender) -> Standing:
    """Status and its reason of each customer of the world."""
    with organization_context(lender.organization.pk):
        found = {
            pk: (status, reason) for pk, status, reason in Customer.objects.values_list("pk", "status", "status_reason")
        }
    return {key: found[customer.pk] for key, customer in lender.customers.items()}


def set_status(lender: Lender, key: str, status: str, reason: str = "") -> None:
    with organization_context(lender.organization.pk):
        customer = lender.customers[key]
        change_customer_status(actor=lender["admin"], customer=customer, status=status, reason=reason)


def undo(lender: Lender, change: BulkChange, role: str = "admin", reason: str = "The wrong list") -> BulkChange:
    with organization_context(lender.organization.pk):
        return undo_bulk_change(actor=lender[role], pk=change.pk, reason=reason)


def remembered(lender: Lender) -> int:
    with organization_context(lender.organization.pk):
        return FormerStatus.objects.count()


@pytest.fixture
def kudi(world: World) -> Lender:
    """One pending, one active, one inactive and one blacklisted customer."""
    kudi = world.kudi
    set_status(kudi, "own", "active")
    set_status(kudi, "distant", "inactive", "Moved abroad")
    set_status(kudi, "free", "blacklisted", "Lent the card")
    return kudi


@pytest.fixture
def in_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(carrying, "PORTION", 3)


def test_everybody_gets_status_and_reason_back(kudi: Lender) -> None:
    before = standing(kudi)
    change = start(kudi, STATUS, **BLACKLIST)
    assert {status for status, _ in standing(kudi).values()} == {"blacklisted"}
    undone = undo(kudi, change)
    assert (undone.state, undone.changed, undone.outcome) == ("done", 3, "3 customers are as before.")
    assert standing(kudi) == before
    assert remembered(kudi) == 0
    assert emails(kudi) == []
    with pytest.raises(NothingToUndo):
        undo(kudi, change)


def test_the_log_has_a_line_for_each_and_one_for_all(kudi: Lender) -> None:
    undo(kudi, start(kudi, STATUS, query=by_hand(kudi, "own", "distant"), **BLACKLIST))
    with organization_context(kudi.organization.pk):
        line = AuditEvent.objects.filter(verb="customer.status_changed", target_id=kudi.customers["own"].pk).latest(
            "pk"
        )
        assert (line.before, line.after) == ({"status": "Blacklisted"}, {"status": "Active"})
        assert (line.reason, line.actor_id) == ("The wrong list", kudi["admin"].pk)
        summary = AuditEvent.objects.filter(verb="customers.changed").latest("pk")
        assert summary.after == {"customers": "2", "taken back": "all", "filters": "Chosen: 2 by hand"}
        assert summary.reason == "The wrong list"


def _by_hand(lender: Lender) -> None:
    set_status(lender, "own", "active", "Cleared")


def _and_back(lender: Lender) -> None:
    """The same as the change left it, but somebody looked at it."""
    set_status(lender, "own", "active", "Cleared")
    set_status(lender, "own", "blacklisted", BLACKLIST["reason"])


def _by_many(lender: Lender) -> None:
    start(lender, STATUS, query=by_hand(lender, "own"), status="inactive", reason="Asleep")


@pytest.mark.parametrize("touch", [_by_hand, _and_back, _by_many])
def test_whose_status_somebody_changed_since_stays_as_they_are(kudi: Lender, touch: Any) -> None:
    before = standing(kudi)
    change = start(kudi, STATUS, **BLACKLIST)
    touch(kudi)
    touched = standing(kudi)["own"]
    undone = undo(kudi, change)
    assert (undone.changed, undone.unchanged) == (2, 2)
    assert standing(kudi) == {**before, "own": touched}


def test_a_change_of_something_else_does_not_keep_the_status(kudi: Lender) -> None:
    before = standing(kudi)
    change = start(kudi, STATUS, **BLACKLIST)
    start(kudi, BulkChange.Kind.ASSIGN, manager=kudi["account_manager"])
    undo(kudi, change)
    assert standing(kudi) == before


def test_the_latest_of_two_changes_is_taken_back_alone(kudi: Lender) -> None:
    before = standing(kudi)
    first, second = start(kudi, STATUS, **BLACKLIST), start(kudi, STATUS, status="active", reason="Cleared")
    assert undo(kudi, second).changed == 4
    assert {status for status, _ in standing(kudi).values()} == {"blacklisted"}
    assert undo(kudi, first).changed == 0
    assert standing(kudi) != before


@pytest.mark.parametrize(
    ("key", "status", "sentence"),
    [
        ("own", "blacklisted", "no longer blacklisted"),
        ("distant", "active", "becomes inactive"),
        ("free", "active", "becomes blacklisted"),
    ],
)
def test_a_reason_is_asked_where_a_single_change_asks_it(kudi: Lender, key: str, status: str, sentence: str) -> None:
    change = start(kudi, STATUS, query=by_hand(kudi, key), status=status, reason="Plan")
    before, held = traces(kudi), standing(kudi)
    with pytest.raises(ReasonMissing, match=sentence):
        undo(kudi, change, reason="")
    assert (traces(kudi), standing(kudi)) == (before, held)


def test_no_reason_is_asked_where_a_single_change_asks_none(kudi: Lender) -> None:
    before = standing(kudi)
    change = start(kudi, STATUS, query=by_hand(kudi, "own"), status="pending")
    undo(kudi, change, reason="")
    assert standing(kudi) == before


def test_only_the_own_changes_of_the_last_day_are_taken_back(kudi: Lender) -> None:
    change = start(kudi, STATUS, **BLACKLIST)
    held = standing(kudi)
    with pytest.raises(NotVisible):
        undo(kudi, change, role="super_admin")
    with organization_context(kudi.organization.pk):
        BulkChange.objects.update(created_at=timezone.now() - timedelta(hours=25))
    with pytest.raises(NothingToUndo):
        undo(kudi, change)
    assert standing(kudi) == held


def test_whoever_lost_the_permission_takes_nothing_back(kudi: Lender) -> None:
    """To choose account managers is another permission."""
    change = start(kudi, STATUS, **BLACKLIST)
    before, held = traces(kudi), standing(kudi)
    with organization_context(kudi.organization.pk):
        kudi.roles["admin"].permissions.filter(capability="customers.change_status").delete()
    with organization_context(kudi.organization.pk), pytest.raises(PermissionMissing):
        undo_bulk_change(actor=Member.objects.get(pk=kudi["admin"].pk), pk=change.pk, reason="The wrong list")
    assert (traces(kudi), standing(kudi)) == (before, held)


def test_whoever_changes_statuses_alone_may_take_theirs_back(kudi: Lender) -> None:
    before = standing(kudi)
    change = start(kudi, STATUS, role="loan_officer", query=by_hand(kudi, "free"), status="active", reason="Cleared")
    undo(kudi, change, role="loan_officer")
    assert standing(kudi) == before


def test_customers_who_are_no_longer_the_actors_to_change_stay(kudi: Lender) -> None:
    change = start(kudi, STATUS, role="loan_officer", query=by_hand(kudi, "free"), status="active", reason="Cleared")
    start(kudi, BulkChange.Kind.ASSIGN, query=by_hand(kudi, "free"), manager=kudi["other_manager"])
    assert undo(kudi, change, role="loan_officer").changed == 0
    assert standing(kudi)["free"] == ("active", "Cleared")


def test_of_an_erased_customer_nothing_is_remembered(kudi: Lender) -> None:
    change = start(kudi, STATUS, query=by_hand(kudi, "own", "distant"), status="pending")
    customer = kudi.customers["distant"]
    with organization_context(kudi.organization.pk):
        erase_customer(
            actor=kudi["super_admin"], customer=customer, confirmation=customer.number, reason="Asked for it"
        )
    assert remembered(kudi) == 1
    assert undo(kudi, change).changed == 1
    assert standing(kudi)["distant"] == ("inactive", "")


def test_what_can_no_longer_be_taken_back_is_forgotten(kudi: Lender) -> None:
    start(kudi, STATUS, **BLACKLIST)
    assert forget_former_statuses() == 0
    with organization_context(kudi.organization.pk):
        BulkChange.objects.update(created_at=timezone.now() - timedelta(hours=49))
    assert forget_former_statuses() == 3
    assert remembered(kudi) == 0


@pytest.mark.usefixtures("in_background")
@pytest.mark.parametrize("dies_in", ["change", "undoing"])
def test_a_worker_that_dies_doubles_nothing_there_and_back(
    kudi: Lender, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    crowd(kudi, 7)
    before = standing(kudi)
    name = "change_status" if dies_in == "change" else "restore_statuses"
    write, calls = getattr(carrying, name), []

    def die_in_the_second(*args: Any) -> None:
        write(*args)
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(carrying, name, die_in_the_second)

    def carry_through(change: BulkChange, dies: bool) -> BulkChange:
        if dies:
            with pytest.raises(KeyboardInterrupt):
                carry_out_bulk_change(kudi.organization.pk, change.pk)
            with organization_context(kudi.organization.pk):
                assert BulkChange.objects.get(pk=change.pk).progress == 3
                BulkChange.objects.update(leased_until=timezone.now())
        return carried_out(kudi, change)

    change = carry_through(start(kudi, STATUS, **BLACKLIST), dies_in == "change")
    assert (change.state, change.changed, remembered(kudi)) == ("done", 10, 10)
    undone = carry_through(undo(kudi, change), dies_in == "undoing")
    assert (undone.state, undone.changed, remembered(kudi)) == ("done", 10, 0)
    assert standing(kudi) == before
    with organization_context(kudi.organization.pk):
        lines = AuditEvent.objects.filter(verb="customer.status_changed", after={"status": "Pending"})
        assert lines.count() == 8


@pytest.mark.usefixtures("in_background")
def test_rights_that_are_lost_meanwhile_stop_the_undoing(kudi: Lender) -> None:
    change = carried_out(kudi, start(kudi, STATUS, **BLACKLIST))
    undone = undo(kudi, change)
    with organization_context(kudi.organization.pk):
        kudi.roles["admin"].permissions.filter(capability="customers.change_status").delete()
    undone = carried_out(kudi, undone)
    assert (undone.state, undone.changed) == ("stopped", 0)


@pytest.mark.usefixtures("in_background")
def test_the_number_of_statements_does_not_grow(kudi: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "PORTION", 1_000)
    counts = []
    for count in (1, 3, 60):
        crowd(kudi, count)
        change = carried_out(kudi, start(kudi, STATUS, **BLACKLIST))
        undone = undo(kudi, change)
        with CaptureQueriesContext(connection) as captured:
            undone = carried_out(kudi, undone)
        assert undone.changed == change.changed
        counts.append(len(captured.captured_queries))
    assert counts[1] == counts[2]  # the first fills caches


def test_the_page_asks_why_and_takes_it_back(kudi: Lender) -> None:
    before = standing(kudi)
    client = kudi.client("admin")
    location = posted(kudi, "customers/change/status/?all=1", **BLACKLIST)["Location"]
    assert f'href="{location}undo/"' in words(client.get(location))
    html = words(client.get(f"{location}undo/"))
    assert "3 customers are now blacklisted. They get back the status that they had before, with its reason." in html
    refused = client.post(f"{location}undo/")
    assert refused.status_code == 422
    assert "Say why the customer is no longer blacklisted." in words(refused)
    too_long = client.post(f"{location}undo/", {"reason": "x" * 301})
    assert too_long.status_code == 422
    assert too_long.context["form"]["reason"].value() == "x" * 301
    done = client.post(f"{location}undo/", {"reason": "The wrong list"}, follow=True)
    assert "3 customers are as before." in words(done)
    assert "1 of the 4 stayed as they were: they were so before" in words(done)
    assert standing(kudi) == before
    assert client.get(f"{location}undo/").status_code == 302
    assert "Take it back" not in words(client.get(location))
