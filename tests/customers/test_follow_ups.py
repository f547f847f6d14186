"""What a member has still to do for customers: on the dashboard and as a page of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from customers.models import Note, NoteMention
from customers.services.account_managers import assign_account_manager
from customers.services.notes import complete_note
from lendconsole.tenancy import as_owner, organization_context
from tests import factories
from tests.customers.pages import words
from tests.pages import statements
from tests.world import ROLES, Lender, World, build_lender

CANARY = "T1-Call-7f3a"


@pytest.fixture
def kudi(world: World) -> Iterator[Lender]:
    with organization_context(world.kudi.organization.pk), timezone.override(world.kudi.organization.time_zone):
        yield world.kudi


def follow_up(lender: Lender, key: str = "own", role: str = "admin", due_in: int = 0, **facts: Any) -> Note:
    """`due_in` so many days."""
    with organization_context(lender.organization.pk):
        text, due_on = facts.pop("text", CANARY), lender.today + timedelta(days=due_in)
        return factories.note(lender.customers[key], lender[role], kind="follow_up", due_on=due_on, text=text, **facts)


def whose(lender: Lender, *notes: Note) -> set[str]:
    """The members who have them all to do."""
    with organization_context(lender.organization.pk):
        wanted = {note.pk for note in notes}
        return {
            role
            for role, member in lender.members.items()
            if wanted <= set(Note.objects.to_be_done_by(member).values_list("pk", flat=True))
        }


def test_it_is_for_who_wrote_it_and_for_the_account_manager(kudi: Lender) -> None:
    assert whose(kudi, follow_up(kudi)) == {"admin", "account_manager"}
    assert whose(kudi, follow_up(kudi, "free", "loan_officer")) == {"loan_officer"}
    assert whose(kudi, follow_up(kudi, "free", "deactivated")) == set()


def test_it_is_for_those_who_were_told_of_it_and_may_complete_it(kudi: Lender) -> None:
    note = follow_up(kudi, "free", "customer_support")
    for role in ("loan_officer", "compliance", "other_manager", "no_users_unit"):
        NoteMention.objects.create(organization=kudi.organization, note=note, member=kudi[role])
    assert whose(kudi, note) == {"customer_support", "loan_officer"}


def test_it_goes_to_whom_the_customer_goes(kudi: Lender) -> None:
    note = follow_up(kudi, "own", "account_manager")
    assert whose(kudi, note) == {"account_manager"}
    assign_account_manager(actor=kudi["admin"], customer=kudi.customers["own"], manager=kudi["other_manager"])
    assert whose(kudi, note) == {"other_manager"}


def test_it_is_for_who_stands_in_while_they_do(kudi: Lender) -> None:
    note = follow_up(kudi)
    cover = factories.cover(kudi["account_manager"], kudi["other_manager"], starts_at=timezone.now())
    assert whose(kudi, note) == {"admin", "account_manager", "other_manager"}
    cover.ends_at = timezone.now()
    cover.save(update_fields=["ends_at"])
    assert whose(kudi, note) == {"admin", "account_manager"}


def test_only_open_follow_ups_are_to_be_done(kudi: Lender) -> None:
    note = follow_up(kudi)
    for kind in ("note", "enquiry"):
        factories.note(kudi.customers["own"], kudi["admin"], kind=kind)
    assert list(Note.objects.to_be_done_by(kudi["admin"])) == [note]
    complete_note(actor=kudi["account_manager"], note=note, is_done=True)
    assert whose(kudi, note) == set()


def test_who_sees_the_card_alone_learns_nothing(world: World) -> None:
    kudi = world.kudi
    follow_up(kudi, "own", "customer_support")
    follow_up(kudi, "own", "loan_officer")
    for role in ("customer_support", "loan_officer", "other_manager"):
        client = kudi.client(role)
        assert client.get(kudi.url()).context["follow_ups"] is None
        html = words(client.get(kudi.url("follow-ups/")))
        assert CANARY not in html
        assert "Nothing left to do." in html
    for role in ("compliance", "no_users_unit"):
        assert kudi.client(role).get(kudi.url("follow-ups/")).status_code == 403
    assert CANARY not in words(world.rival.client("super_admin").get(world.rival.url("follow-ups/")))


def test_the_dashboard_shows_what_is_due_first(world: World) -> None:
    kudi, client = world.kudi, world.kudi.client("account_manager")
    assert "open follow-ups" not in words(client.get(kudi.url()))
    for days in (3, 1, -2, 9, 0, 20, 7):
        follow_up(kudi, due_in=days)
    response = client.get(kudi.url())
    shown = [(line.note.due_on - kudi.today).days for line in response.context["follow_ups"].lines]
    assert shown == [-2, 0, 1, 3, 7]
    html = words(response)
    assert "All 7 open" in html
    assert html.count("overdue") == 1
    assert kudi["admin"].name in html


def test_each_line_leads_to_the_follow_up(world: World) -> None:
    kudi, client = world.kudi, world.kudi.client("account_manager")
    note = follow_up(kudi)
    (line,) = client.get(kudi.url()).context["follow_ups"].lines
    assert f'id="note-{note.pk}"' in words(client.get(line.url))


def test_it_is_completed_from_the_list(world: World) -> None:
    kudi, client = world.kudi, world.kudi.client("account_manager")
    note = follow_up(kudi)
    assert "Mark as done" in words(client.get(kudi.url("follow-ups/")))
    answer = client.post(kudi.url(f"notes/{note.pk}/done/"), {"on": "1", "list": "1"}, follow=True)
    assert answer.redirect_chain == [(kudi.url("follow-ups/"), 302)]
    html = words(answer)
    assert "The follow-up is done." in html
    assert "Nothing left to do." in html


@pytest.mark.parametrize("role", ROLES)
def test_the_dashboard_costs_the_same_for_few_and_many(world: World, role: str) -> None:
    kudi, client = world.kudi, world.kudi.client(role)
    counts = []
    for more in (1, 11):
        for _ in range(more):
            follow_up(kudi, "free", role)
            follow_up(kudi)
            with organization_context(kudi.organization.pk):
                factories.document(kudi.customers["own"], kudi["deactivated"])
        client.get(kudi.url())
        counts.append(len(statements(client, kudi.url())))
    assert counts[0] == counts[1] <= 8


def test_the_list_asks_the_same_for_few_and_many(world: World) -> None:
    kudi, client, url = world.kudi, world.kudi.client("account_manager"), world.kudi.url("follow-ups/")
    follow_up(kudi)
    client.get(url)
    few = statements(client, url)
    assert len(few) <= 8
    for number in range(54):
        follow_up(kudi, due_in=number % 3)
    assert len(statements(client, url)) == len(few)
    shown: list[Note] = []
    while url:
        context = client.get(url).context
        shown += [line.note for line in context["lines"]]
        url = context["older_url"]
    assert [note.pk for note in shown] == [note.pk for note in sorted(shown, key=lambda each: (each.due_on, each.pk))]
    assert len({note.pk for note in shown}) == 55


@pytest.mark.django_db(transaction=True)
def test_few_notes_are_read_however_many_there_are() -> None:
    kudi = build_lender("kudi", "T1")
    with organization_context(kudi.organization.pk):
        facts = {"organization": kudi.organization, "kind": "follow_up", "due_on": kudi.today, "text": CANARY}
        others = [factories.CustomerFactory(organization=kudi.organization, office=kudi.branch) for _ in range(20)]
        Note.objects.bulk_create(
            Note(customer=customer, author=kudi["compliance"], **facts) for customer in others for _ in range(200)
        )
    mine = {follow_up(kudi).pk, follow_up(kudi, "own", "account_manager").pk}
    with as_owner() as owner, owner.cursor() as cursor:
        cursor.execute("ANALYZE customers_note, customers_customer")
    with organization_context(kudi.organization.pk):
        found = Note.objects.to_be_done_by(kudi["account_manager"])
        assert {note.pk for note in found} == mine
        (plan,) = json.loads(found.explain(analyze=True, format="json"))
    assert notes_read(plan["Plan"]) < 20


def notes_read(node: dict[str, Any]) -> int:
    """By the step of the plan and those below it."""
    own = 0
    if node.get("Relation Name") == Note._meta.db_table:
        own = node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return int(own) + sum(notes_read(below) for below in node.get("Plans", ()))
