"""Lists, counts, search, the top bar, exports, the dashboard, profiles, requests and the access lens agree with the rule.

For members of lenders drawn at random, told by an oracle that shares no code with the product. RULE_SEEDS draws more
lenders than the usual few.
"""

from __future__ import annotations

import csv
import functools
import io
import itertools
import os
import random
import re
from typing import Final

import pytest

from accounts.pagination import paginate
from customers import lens, readers
from customers.exporting.making import make_export
from customers.files import pieces
from customers.lens import holders, look
from customers.models import Customer
from customers.services.exports import request_export, take_export
from lendconsole.tenancy import organization_context
from teams.capabilities import Capability, Reach
from teams.models import Member
from tests.customers.oracle import CARD, FIND, FULL, NOTHING, ON_A_CARD, OVERSEE, VIEW, Oracle
from tests.customers.pages import HTMX
from tests.customers.scenes import draw
from tests.customers.stage import Narrowing, Seen, Stage, filters, searches

SEEDS: Final = range(int(os.environ.get("RULE_SEEDS", "2")))
COLUMNS: Final = "phone,email,segment,office,account_manager,status,joined"
PAGES: Final = {
    "customer_edit": Capability.CUSTOMERS_EDIT,
    "customer_status": Capability.CUSTOMERS_CHANGE_STATUS,
    "account_manager_assign": Capability.CUSTOMERS_ASSIGN,
    "customer_data": Capability.CUSTOMERS_DATA,
    "customer_documents": VIEW,
    "customer_activity": VIEW,
    "note_create": Capability.NOTES_WRITE,
    "document_upload": Capability.DOCUMENTS_UPLOAD,
}
READING: Final = {VIEW, Capability.CUSTOMERS_DATA}
"""What is still open of somebody who was erased."""
OVER_ONE: Final = {FIND, VIEW, Capability.CUSTOMERS_REVEAL, Capability.CUSTOMERS_ERASE, *PAGES.values(), *ON_A_CARD}


@pytest.fixture(params=SEEDS)
def stage(db: None, request: pytest.FixtureRequest) -> Stage:
    scene = draw(request.param)
    return Stage(scene, Oracle(scene), random.Random(request.param))


def test_every_permission_of_everybody(stage: Stage) -> None:
    scene, oracle = stage.scene, stage.oracle
    with organization_context(scene.organization.pk):
        for member, capability in itertools.product(scene.members, OVER_ONE):
            held = {each.pk for each in scene.customers if oracle.holds(member, capability, each)}
            permitted = Customer.objects.permitted(member, capability).values_list("pk", flat=True)
            assert set(permitted) == held, (member.role.reaches, capability)
        for customer, capability in itertools.product(stage.some(scene.customers, 5), OVER_ONE):
            held = {each.pk for each in scene.members if oracle.holds(each, capability, customer)}
            assert {each.pk for each in holders(customer, capability)} == held, (customer, capability)


def test_who_cannot_act_gets_to_no_page(stage: Stage) -> None:
    for member in {*stage.scene.members} - {*stage.finders}:
        status = stage.get(member, "customers/").status_code
        assert status in ([403] if member in stage.scene.active else [302, 404]), member


def test_lists_have_who_is_visible_at_the_right_level(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "paginate", functools.partial(paginate, size=5))
    for member in stage.some(stage.finders, 5):
        assert all_pages(stage, member) == stage.expected(member, stage.oracle.visible(member)), member.role.reaches


def all_pages(stage: Stage, member: Member) -> Seen:
    found: Seen = []
    query = {"columns": COLUMNS}
    while True:
        response = stage.get(member, "customers/", **query)
        found += stage.seen_lines(response)
        if not response.context["older_url"]:
            return found
        query["after"] = re.search(r"after=([^&]+)", response.context["older_url"]).group(1)


def test_filters_and_their_counts(stage: Stage) -> None:
    for member in stage.some(stage.finders, 3):
        for narrowing in filters(stage, member):
            expected = stage.expected(member, stage.found(member, narrowing))
            response = stage.get(member, "customers/", columns=COLUMNS, **narrowing.query)
            assert response.context["filters"].ignored == []
            assert stage.seen_lines(response) == expected, (member.role.reaches, narrowing.query)
            assert response.context["count_text"] == str(len(expected))


def test_the_figures_of_the_list_and_of_the_dashboard(stage: Stage) -> None:
    """Every figure is the number of customers that the list behind it has, by the oracle."""
    for member in stage.some(stage.finders, 5):
        by_query = {next(iter(each.query.items())): each for each in filters(stage, member)}
        cards = stage.get(member, "customers/").context["cards"]
        dashboard = stage.get(member).context
        assert {card.label for card in cards} >= {"Active", "Needing attention"}
        for figure in (*cards, *dashboard["figures"], *dashboard["statuses"]):
            (asked,) = re.findall(r"[?&](\w+)=(\w+)", figure.url) or [("status", "")]
            if "/customers/" in figure.url:
                means = by_query.get(asked) or of_status(asked[1])
                assert int(figure.count) == len(stage.found(member, means)), (member.role.reaches, figure)
        assert {load.manager.pk: load.count for load in dashboard["loads"]} == workload(stage, member)
        assert {each.customer_id for each in dashboard["recent"]} == given_lately(stage, member)


def of_status(status: str) -> Narrowing:
    return Narrowing({}, lambda each: status in ("", each.status))


def workload(stage: Stage, member: Member) -> dict[int, int]:
    """Of those who can still act as account managers, as far as the member sees customers."""
    if not (member.may(Capability.MEMBERS_VIEW) or member.may(OVERSEE)):
        return {}
    visible = [each.account_manager_id for each in stage.oracle.visible(member)]
    managers = [each for each in stage.scene.active if each.role.reach(VIEW) != Reach.NONE]
    return {each.pk: visible.count(each.pk) for each in managers if each.pk in visible}


def given_lately(stage: Stage, member: Member) -> set[int]:
    if member.role.reach(FIND) != Reach.OWN:
        return set()
    return {each.pk for each in stage.oracle.visible(member) if each.account_manager_id == member.pk}


def test_searches_tell_no_more_than_the_cards(stage: Stage) -> None:
    for member in stage.some(stage.finders, 4):
        for search in stage.some([*searches(stage.scene)], 4):
            expected = stage.expected(member, stage.found(member, search))
            response = stage.get(member, "customers/", columns=COLUMNS, **search.query)
            assert stage.seen_lines(response) == expected, (member.role.reaches, search.query)
            quick = stage.get(member, "customers/", panel="quick", headers=HTMX, **search.query)
            lines = (f"{line.name} {line.note}" for line in quick.context["lines"])
            assert stage.seen(lines) == expected[:8], (member.role.reaches, search.query)


def test_exports_hold_what_the_list_shows(stage: Stage) -> None:
    exporters = [each for each in stage.finders if each.may(Capability.CUSTOMERS_EXPORT)]
    assert exporters
    for member in exporters:
        visible = stage.oracle.visible(member)
        rows = exported(member)
        assert stage.seen(",".join(row) for row in rows) == stage.expected(member, visible), member.role.reaches
        segments = [bool(row[5]) for row in rows]
        assert segments == [stage.oracle.level(member, each) == FULL for each in visible]


def exported(member: Member) -> list[list[str]]:
    """The rows of the file, without its header and its signature."""
    with organization_context(member.organization_id):
        asked = {"parameters": {"columns": COLUMNS}, "words": "", "count": "", "is_confirmed": True}
        export = request_export(actor=member, format_="csv", **asked)
    assert make_export(member.organization_id, export.pk)
    with organization_context(member.organization_id):
        content = b"".join(pieces(take_export(actor=member, pk=export.pk)))
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1:-1]


def test_profiles_and_cards(stage: Stage) -> None:
    """The own address of a customer, and what the card offers."""
    for member, customer in stage.some([*itertools.product(stage.scene.active, stage.scene.customers[1:])], 25):
        level = stage.oracle.level(member, customer)
        response = stage.get(member, f"customers/{customer.pk}/")
        assert response.status_code == (200 if level else 404), (member.role.reaches, customer)
        html = response.content.decode()
        gains = level == CARD and member.may(VIEW)
        has_asked = any((each.member_id, each.customer_id) == (member.pk, customer.pk) for each in stage.waiting)
        may_enter = gains and member.may(Capability.CUSTOMERS_EMERGENCY)
        assert (customer.email in html) == (level == FULL), (member.role.reaches, customer)
        assert (f"{customer.pk}/request-access/" in html) == (gains and not has_asked), (member.role.reaches, customer)
        assert (f"{customer.pk}/emergency-access/" in html) == may_enter, (member.role.reaches, customer)


def test_pages_about_a_customer_follow_their_permission(stage: Stage) -> None:
    for member, customer, page in stage.some(
        [*itertools.product(stage.scene.active, stage.scene.customers, PAGES)], 25
    ):
        status = stage.client(member).get(member.url(f"customers:{page}", customer.pk)).status_code
        assert status == answer(stage, member, PAGES[page], customer), (member.role.reaches, customer, page)


def answer(stage: Stage, member: Member, capability: Capability, customer: Customer) -> int:
    if stage.oracle.level(member, customer) == NOTHING:
        return 404
    is_closed = customer.erased_at is not None and capability not in READING
    return 200 if stage.oracle.holds(member, capability, customer) and not is_closed else 403


def test_the_lens_shows_everybody_at_their_level(stage: Stage) -> None:
    present = [each for each in stage.scene.members if each.status != Member.Status.REMOVED]
    for customer in stage.scene.customers:
        levels = {each.pk: stage.oracle.level(each, customer) for each in present}
        with organization_context(stage.scene.organization.pk):
            sights = [*look(customer).rows, *look(customer, shown=lens.WHO_CANNOT).rows]
        assert {each.member.pk: each.level for each in sights} == levels, customer
        assert all(bool(each.reasons) == bool(each.level) for each in sights)
        assert all(bool(each.missing) == (each.level != FULL) for each in sights)
    shown = stage.get(stage.scene.super_admin, f"customers/{customer.pk}/access/").context["lens"].rows
    assert {each.member.pk for each in shown} == {pk for pk, level in levels.items() if level}


def test_requests_wait_for_those_who_keep_the_customer(stage: Stage) -> None:
    oracle = stage.oracle
    assert stage.waiting
    for member in stage.scene.active:
        of_others = [
            each for each in stage.waiting if each.member_id != member.pk and oracle.level(member, each.customer)
        ]
        kept = {each.pk for each in of_others if oracle.keeps(member, each.customer)}
        overseen = {each.pk for each in of_others if oracle.holds(member, OVERSEE, each.customer)}
        response = stage.get(member, "access-requests/")
        assert response.status_code == (200 if member.may(VIEW) else 403)
        if member.may(VIEW):
            shown = response.context["requests"]
            assert {each.pk for each in shown} == kept | overseen, member.role.reaches
            assert {each.pk for each in shown if each.can_decide} == kept, member.role.reaches
