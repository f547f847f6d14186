"""The pages that move, close and merge offices: what they show before, with and without JavaScript, and their refusals."""

from __future__ import annotations

from typing import Any

import pytest

from teams.models import Office
from tests.customers.pages import HTMX
from tests.factories import CustomerFactory, MemberFactory, OfficeFactory, RoleFactory
from tests.pages import statements, text
from tests.teams.support import extra_member, fresh, inside, invitation_for, rows
from tests.world import Lender, World


def url(lender: Lender, office: Office, action: str) -> str:
    return lender.url(f"settings/offices/{office.pk}/{action}/")


@pytest.fixture
def kudi(world: World) -> Lender:
    """The other branch has a lead who sees what belongs to it."""
    kudi = world.kudi
    with inside(kudi):
        role = RoleFactory(organization=kudi.organization, reaches={"customers.find": "office"})
        kudi.members["lead"] = extra_member(kudi, "", role=role, office=kudi.other_branch)
    return kudi


def choices(response: Any, field: str) -> set[str]:
    return {choice.name for choice in response.context["form"].fields[field].queryset}


class TestMove:
    def test_says_first_who_will_see_what(self, kudi: Lender) -> None:
        client, page = kudi.client("admin"), url(kudi, kudi.branch, "move")
        shown = client.get(page)
        assert choices(shown, "parent") == {"Head Office T1", "Kano T1"}
        assert "become" not in text(shown)
        with inside(kudi):
            before = rows()
        chosen = {"parent": kudi.other_branch.pk}
        for response in (
            client.get(page, chosen),
            client.get(page, chosen, headers=HTMX),
            client.post(page, {**chosen, "version": 1, "preview": "1"}),
        ):
            assert response.status_code == 200
            assert "2 more customers become visible to 1 person." in text(response)
            assert f"{kudi['lead'].name}, Kano T1: 2" in text(response)
        with inside(kudi):
            assert rows() == before
        done = client.post(page, {**chosen, "version": 1}, follow=True)
        assert "Ikeja T1 now belongs to Kano T1." in text(done)
        assert "2 more customers become visible to 1 person." in text(client.get(kudi.url("audit/?verb=office.moved")))

    def test_odd_choices_come_back(self, kudi: Lender, world: World) -> None:
        client, page = kudi.client("admin"), url(kudi, kudi.branch, "move")
        for parent in ("", "x", kudi.branch.pk, world.rival.head.pk, 99999999999999999999):
            assert client.get(page, {"parent": parent}).status_code == 200
            assert client.post(page, {"parent": parent, "version": 1}).status_code == 422
        stale = client.post(page, {"parent": kudi.other_branch.pk, "version": 9})
        assert "Somebody changed this office" in text(stale)

    def test_a_head_office_may_stand_alone(self, kudi: Lender) -> None:
        with inside(kudi):
            ghana = OfficeFactory(organization=kudi.organization, name="Ghana", type="head_office", parent=kudi.head)
        client, page = kudi.client("admin"), url(kudi, ghana, "move")
        assert "Nothing: it stands on its own" in text(client.get(page))
        assert "Ghana now stands on its own." in text(client.post(page, {"parent": "", "version": 1}, follow=True))


class TestDeactivate:
    def test_asks_for_each_pile_alone(self, kudi: Lender) -> None:
        with inside(kudi):
            invitation_for(kudi)
            OfficeFactory(organization=kudi.organization, name="Recovery", parent=kudi.branch)
            OfficeFactory(organization=kudi.organization, name="Jos", parent=kudi.head)
        client = kudi.client("admin")
        shown = client.get(url(kudi, kudi.branch, "deactivate"))
        assert "7 active members, 2 customers, 1 invitation and 1 office below it" in text(shown)
        assert choices(shown, "members") == {"Head Office T1", "Kano T1", "Recovery", "Jos"}
        assert choices(shown, "offices") == {"Head Office T1", "Kano T1", "Jos"}
        assert set(client.get(url(kudi, kudi.other_branch, "deactivate")).context["form"].fields) == {
            "submission_key",
            "version",
            "members",
            "customers",
        }
        with inside(kudi):
            jos = Office.objects.get(name="Jos")
        assert "Jos is empty." in text(client.get(url(kudi, jos, "deactivate")))
        assert "Jos is deactivated." in text(client.post(url(kudi, jos, "deactivate"), {"version": 1}, follow=True))
        assert "is deactivated already" in text(client.get(url(kudi, jos, "deactivate")))

    def test_says_what_it_does_and_does_it(self, kudi: Lender) -> None:
        client, page = kudi.client("admin"), url(kudi, kudi.branch, "deactivate")
        data = {"members": kudi.head.pk, "customers": kudi.other_branch.pk}
        for shown in (client.get(page, data), client.post(page, {**data, "version": 1, "preview": "1"})):
            assert "2 more customers become visible to 1 person." in text(shown)
        assert client.post(page, {"members": kudi.head.pk, "version": 1}).status_code == 422
        done = client.post(page, {**data, "version": 1}, follow=True)
        assert "Ikeja T1 is deactivated. 7 active members and 2 customers moved." in text(done)
        with inside(kudi):
            assert not fresh(kudi.branch).is_active
            assert fresh(kudi["admin"]).office == kudi.head

    def test_the_top_says_why_it_stays(self, kudi: Lender) -> None:
        client, page = kudi.client("admin"), url(kudi, kudi.head, "deactivate")
        assert "is the top of the whole tree" in text(client.get(page))
        refused = client.post(page, {"offices": kudi.branch.pk, "version": 1})
        assert refused.status_code == 422
        with inside(kudi):
            assert fresh(kudi.head).is_active

    def test_costs_the_same_for_few_and_for_many(self, kudi: Lender) -> None:
        client = kudi.client("admin")
        page = f"{url(kudi, kudi.branch, 'deactivate')}?members={kudi.head.pk}&customers={kudi.other_branch.pk}"
        client.get(page)
        few = len(statements(client, page))
        with inside(kudi):
            for _ in range(25):
                below = OfficeFactory(organization=kudi.organization, parent=kudi.other_branch)
                MemberFactory(organization=kudi.organization, role=kudi["lead"].role, office=kudi.other_branch)
                CustomerFactory(organization=kudi.organization, office=kudi.branch)
                MemberFactory(organization=kudi.organization, role=kudi["lead"].role, office=below)
        assert len(statements(client, page)) == few


class TestMerge:
    def test_needs_a_tick_and_says_what_goes(self, kudi: Lender) -> None:
        client, page = kudi.client("admin"), url(kudi, kudi.branch, "merge")
        shown = client.get(page, {"into": kudi.other_branch.pk})
        assert "Move 7 active members and 2 customers and deactivate Ikeja T1" in text(shown)
        assert "2 more customers become visible to 1 person." in text(shown)
        data = {"into": kudi.other_branch.pk, "version": 1}
        assert "Tick this to go on." in text(client.post(page, data))
        done = client.post(page, {**data, "sure": "on"}, follow=True)
        assert "Ikeja T1 is merged into Kano T1. 7 active members and 2 customers moved." in text(done)
        assert "Merged into Kano T1." in text(client.get(kudi.url("settings/offices/?state=deactivated")))
        assert "There is nothing in it to merge." in text(client.get(page))
        assert client.post(page, {**data, "sure": "on", "version": 2}).status_code == 422

    def test_nobody_takes_what_they_do_not_reach(self, kudi: Lender) -> None:
        with inside(kudi):
            role = RoleFactory(
                organization=kudi.organization,
                reaches={"offices.view": "organization", "offices.manage": "organization", "customers.find": "office"},
            )
            kudi.members["keeper"] = extra_member(kudi, "", role=role, office=kudi.other_branch)
        page = url(kudi, kudi.branch, "merge")
        refused = kudi.client("keeper").post(page, {"into": kudi.other_branch.pk, "sure": "on", "version": 1})
        assert refused.status_code == 422
        assert "nobody widens their own reach" in text(refused)
        with inside(kudi):
            assert fresh(kudi.branch).is_active
