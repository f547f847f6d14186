"""The audit log page: sentences, filters that use the indexes, and nothing of anybody else's."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from accounts.pagination import PAGE_SIZE
from audit import services
from audit.filters import Filters
from audit.models import AuditEvent
from audit.querysets import actors_known_to
from audit.verbs import Verb
from lendconsole.tenancy import as_owner, organization_context
from teams.models import Member
from tests.world import Lender, World, build_world


def _record(
    lender: Lender,
    verb: Verb = Verb.MANAGER_ASSIGNED,
    *,
    actor: Member | None = None,
    at: datetime | None = None,
    **facts: Any,
) -> AuditEvent:
    with organization_context(lender.organization.pk):
        target = facts.pop("target", None) or lender.customers["own"]
        event = services.event(actor=actor, verb=verb, target=target, **facts)
        event.ip_address = "203.0.113.7"
        if at:
            event.at = at
        event.save(force_insert=True)
        return event


def _page(client: Client, lender: Lender, query: str = "") -> str:
    response = client.get(lender.url(f"audit/{query}"))
    assert response.status_code == 200, query
    return " ".join(response.content.decode().split())


def _found(client: Client, lender: Lender, query: str) -> list[int]:
    return [line.event.pk for line in client.get(lender.url(f"audit/{query}")).context["lines"]]


def test_an_event_is_a_sentence_with_its_details(world: World) -> None:
    customer = world.kudi.customers["own"]
    _record(
        world.kudi,
        actor=world.kudi["admin"],
        before={"account_manager": None},
        after={"account_manager": "Efe <Osagie>", "lasting": True, "offices": ["Ikeja", "Kano"]},
        reason="On <b>leave</b>",
    )
    page = _page(world.kudi.client("compliance"), world.kudi)
    assert f"<b>{world.kudi['admin'].name}</b> gave an account manager to" in page
    assert f'href="{world.kudi.url(f"customers/{customer.pk}/")}">{customer.number}</a>' in page
    text = " ".join(strip_tags(page).split())
    assert "Account manager nothing → became Efe &lt;Osagie&gt;" in text
    assert "Lasting yes" in text
    assert "Offices Ikeja, Kano" in text
    assert "Reason: On &lt;b&gt;leave&lt;/b&gt;" in page
    assert "203.0.113.7" in page
    assert world.kudi["admin"].user.email in page


def test_times_are_the_lenders(world: World) -> None:
    _record(world.kudi, at=datetime(2026, 3, 12, 23, 30, tzinfo=UTC))
    assert "13 Mar 2026, 00:30" in _page(world.kudi.client("admin"), world.kudi)


def test_records_are_links_only_for_those_who_may_open_every_one(world: World) -> None:
    target = world.kudi.branch
    _record(world.kudi, target=target, verb=Verb.OFFICE_CHANGED)
    link = f'href="{world.kudi.url(f"settings/offices/{target.pk}/")}"'
    assert link in _page(world.kudi.client("admin"), world.kudi)
    assert link not in _page(world.kudi.client("compliance"), world.kudi)


def test_nothing_of_another_lender_is_seen(world: World) -> None:
    event = _record(world.rival, actor=world.rival["admin"])
    client = world.kudi.client("super_admin")
    for query in ("", f"?actor={world.rival['admin'].pk}", f"?record=customers.customer:{event.target_id}"):
        assert "T-2-" not in _page(client, world.kudi, query)


@pytest.fixture
def events(world: World) -> dict[str, AuditEvent]:
    kudi = world.kudi
    noon = datetime(2026, 3, 12, 12, tzinfo=UTC)
    return {
        "assigned": _record(kudi, actor=kudi["admin"], at=noon),
        "opened": _record(
            kudi,
            Verb.CUSTOMER_OPENED,
            actor=kudi["compliance"],
            target=kudi.customers["free"],
            at=noon + timedelta(days=1),
        ),
        # 22:59 and 23:00 UTC are the last minute of a day in Lagos and the first of the next one.
        "late": _record(
            kudi, Verb.CUSTOMERS_IMPORTED, target=kudi.organization, at=datetime(2026, 3, 14, 22, 59, tzinfo=UTC)
        ),
        "next": _record(kudi, Verb.OFFICE_CHANGED, target=kudi.branch, at=datetime(2026, 3, 14, 23, 0, tzinfo=UTC)),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?actor={admin}", ["assigned"]),
        ("?actor=system", ["next", "late"]),
        ("?verb=customer.opened", ["opened"]),
        ("?record=customers.customer:{own}", ["assigned"]),
        ("?since=2026-03-13", ["next", "late", "opened"]),
        ("?until=2026-03-14", ["late", "opened", "assigned"]),
        ("?since=2026-03-15&until=2026-03-15", ["next"]),
        ("?actor={admin}&verb=customer.opened", []),
        ("?until=9999-12-31&since=0001-01-01", ["next", "late", "opened", "assigned"]),
        ("?actor=99999999999999999999&verb=nonsense&since=yesterday&until=2026-02-30", ["next", "late", "opened", "assigned"]),
        ("?actor=-1&record=customers.customer:x&after=AAAA&before=%00", ["next", "late", "opened", "assigned"]),
        ("?record=%00:1", ["next", "late", "opened", "assigned"]),
        ("?actor=%C2%B2", ["next", "late", "opened", "assigned"]),
    ],
)  # fmt: skip
def test_filters(world: World, events: dict[str, AuditEvent], query: str, found: list[str]) -> None:
    query = query.format(admin=world.kudi["admin"].pk, own=world.kudi.customers["own"].pk)
    assert _found(world.kudi.client("admin"), world.kudi, query) == [events[name].pk for name in found]


def test_everybody_who_did_something_can_be_chosen(world: World, events: dict[str, AuditEvent]) -> None:
    with organization_context(world.kudi.organization.pk):
        known = actors_known_to(world.kudi["admin"])
    admin, compliance = world.kudi["admin"], world.kudi["compliance"]
    assert sorted(known) == sorted([(admin.pk, admin.label), (compliance.pk, compliance.label)])


def test_pages_lose_and_repeat_nothing(world: World) -> None:
    start = datetime(2026, 3, 12, tzinfo=UTC)
    events = [_record(world.kudi, at=start + timedelta(microseconds=n // 2)).pk for n in range(PAGE_SIZE + 5)]
    client = world.kudi.client("admin")
    first = client.get(world.kudi.url("audit/")).context
    second = client.get(world.kudi.url(f"audit/?after={first['page'].after}")).context
    assert [line.event.pk for line in [*first["lines"], *second["lines"]]] == events[::-1]


def test_the_number_of_statements_does_not_grow(world: World, django_assert_max_num_queries: Any) -> None:
    client = world.kudi.client("admin")
    _page(client, world.kudi)  # the first page of a session also writes the session
    counts = []
    for batch in range(2):
        for _ in range(1 + 24 * batch):
            _record(world.kudi, actor=world.kudi["admin"])
        with django_assert_max_num_queries(14) as context:
            _page(client, world.kudi)
        counts.append(len(context))
    assert counts[0] == counts[1]


INDEXES = {
    "": "audit_event_recent",
    "actor": "audit_event_actor",
    "verb": "audit_event_verb",
    "record": "audit_event_target",
    "since": "audit_event_recent",
}


def test_filters_are_served_by_their_indexes(transactional_db: None) -> None:
    """As the restricted login, so that row-level security does not push the conditions out of the index."""
    lender = build_world().kudi
    admin, customer = lender["admin"], lender.customers["own"]
    with organization_context(lender.organization.pk):
        for verb, actor, target in itertools.product(Verb, lender.members.values(), lender.customers.values()):
            rows = [services.event(actor=actor, verb=verb, target=target) for _ in range(10)]
            AuditEvent.objects.bulk_create(rows)
    with as_owner() as owner, owner.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent")
    queries = {"actor": str(admin.pk), "verb": Verb.CUSTOMER_OPENED.value, "since": "2100-01-01"}
    queries |= {"record": f"customers.customer:{customer.pk}", "": ""}
    with organization_context(lender.organization.pk):
        for name, value in queries.items():
            events = Filters.parse({name: value}).apply(AuditEvent.objects.visible_to(admin), "Africa/Lagos")
            plan = events.order_by("-at", "-id")[:51].explain()
            assert INDEXES[name] in plan, name
            assert "Sort" not in plan, name
