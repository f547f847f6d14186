"""The settings pages: labels, scoping, refusals, and the same number of statements for one row and for many."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from teams import office_pages
from teams.models import Invitation, Member, Office
from tests import factories
from tests.teams.support import extra_member, fresh, inside, invitation_for, mails, rows
from tests.world import Lender, World


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def statements(client: Client, url: str) -> int:
    """Without what frames the transaction: savepoints and the settings of the walls."""
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len([q for q in captured if not re.match(r"(SAVEPOINT|RELEASE|SELECT set_config)", q["sql"])])


def post(client: Client, url: str, **data: object) -> Any:
    return client.post(url, {name: str(value) for name, value in data.items()})


class TestMemberList:
    def test_shows_the_team_with_its_labels(self, world: World) -> None:
        kudi = world.kudi
        page = text(kudi.client("admin").get(kudi.url("settings/members/")))
        for label in ("Team members", "Invite a member", "Active 8", "Invited 0", "Deactivated 1", "Manage user"):
            assert label in page, label
        for member in kudi.members.values():
            assert (member.name in page) == (member.status == "active")
        assert "T-2" not in page

    def test_says_what_each_may_do_with_whom(self, world: World) -> None:
        kudi = world.kudi
        page = kudi.client("admin").get(kudi.url("settings/members/")).content.decode()
        assert f"settings/members/{kudi['compliance'].pk}/deactivate/" in page
        for untouchable in ("admin", "super_admin"):
            assert f'settings/members/{kudi[untouchable].pk}/"' not in page
            assert f"settings/members/{kudi[untouchable].pk}/deactivate/" not in page
        page = kudi.client("compliance").get(kudi.url("settings/members/")).content.decode()
        assert "Invite a member" not in page
        assert not re.search(r"settings/members/\d+/(\"|deactivate|reactivate)", page)

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("q=compl", {"compliance"}),
            ("q=T1-staff+compl", {"compliance"}),
            ("q=%25", set()),
            ("status=deactivated", {"deactivated"}),
            ("second_factor=on", set()),
            ("role={role}", {"compliance"}),
            ("office={office}", {"other_manager"}),
            ("role=999999999999999999999&office=x&status=none&page=-1&second_factor=maybe", None),
        ],
    )
    def test_filters(self, world: World, query: str, names: set[str] | None) -> None:
        kudi = world.kudi
        query = query.format(role=kudi.roles["compliance"].pk, office=kudi.other_branch.pk)
        response = kudi.client("admin").get(kudi.url(f"settings/members/?{query}"))
        shown = {row.pk for row in response.context["list"].rows}
        everybody = {member.pk for member in kudi.members.values() if member.status == "active"}
        assert shown == (everybody if names is None else {kudi[name].pk for name in names})

    def test_of_an_office_shows_that_office(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = factories.RoleFactory(organization=kudi.organization, reaches={"members.view": "office"})
            kudi.members["lead"] = extra_member(kudi, "", role=role, office=kudi.other_branch)
        response = kudi.client("lead").get(kudi.url("settings/members/"))
        assert {row.pk for row in response.context["list"].rows} == {kudi["lead"].pk, kudi["other_manager"].pk}
        assert "Active 2" in text(response)

    @pytest.mark.parametrize("role", ["account_manager", "loan_officer", "customer_support"])
    def test_is_closed_to_roles_without_it(self, world: World, role: str) -> None:
        assert world.kudi.client(role).get(world.kudi.url("settings/members/")).status_code == 403

    def test_goes_on_after_fifty(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            for _ in range(45):
                extra_member(kudi, "compliance")
        client = kudi.client("admin")
        first, second = (client.get(kudi.url(f"settings/members/?page={page}")) for page in (1, 2))
        assert "1–50 of 53" in text(first)
        assert "51–53 of 53" in text(second)
        assert "1–50 of 53" in text(client.get(kudi.url("settings/members/?page=7")))

    @pytest.mark.parametrize("status", ["active", "invited"])
    def test_costs_the_same_for_one_row_and_for_many(self, world: World, status: str) -> None:
        kudi = world.kudi
        client, url = kudi.client("super_admin"), kudi.url(f"settings/members/?status={status}&q=first")
        with inside(kudi):
            extra_member(kudi, "compliance")
            invitation_for(kudi, first_name="First")
        few = statements(client, url)
        with inside(kudi):
            for _ in range(24):
                extra_member(kudi, "loan_officer", office=kudi.other_branch)
                invitation_for(kudi, first_name="First", role="loan_officer")
        assert statements(client, url) == few
        assert few <= 8

    def test_invited_shows_what_became_of_them(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            invitation_for(kudi, first_name="Old", expires_at=timezone.now() - timedelta(days=1))
            invitation_for(kudi, first_name="Above", role="super_admin", by="super_admin")
            invitation_for(kudi, first_name="Done", accepted_at=timezone.now())
        page = text(kudi.client("admin").get(kudi.url("settings/members/?status=invited")))
        for words in ("Invited 2", "Expired", "Old Eze", "Above Eze", "Resend", "Revoke"):
            assert words in page
        assert "Done Eze" not in page
        assert page.count("Resend") == 1


class TestInvite:
    def data(self, lender: Lender, **changes: object) -> dict[str, object]:
        return {
            "first_name": "Ngozi",
            "last_name": "Eze",
            "email": "ngozi@example.com",
            "role": lender.roles["account_manager"].pk,
            "office": lender.branch.pk,
            **changes,
        }

    def test_the_journey(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/members/invite/")
        page = text(client.get(url))
        for label in ("First name", "Last name", "E-mail", "Select role", "Office", "Submit", "What the roles are for"):
            assert label in page, label
        assert "Super Admin" not in page.split("Select role")[1]
        response = client.post(url, self.data(kudi), follow=True)
        assert "Ngozi Eze is invited as Account Manager." in text(response)
        with inside(kudi):
            assert len(mails("teams/invitation")) == 1

    def test_pressed_twice_invites_once(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/members/invite/")
        key = "7d5f3f2e-3f0d-4a52-93a5-0d6f5d5b5b11"
        for _ in range(2):
            assert client.post(url, self.data(kudi, submission_key=key)).status_code == 302
        with inside(kudi):
            assert Invitation.objects.count() == 1

    @pytest.mark.parametrize("field", ["role", "office"])
    def test_foreign_choices_are_refused(self, world: World, field: str) -> None:
        kudi, rival = world.kudi, world.rival
        foreign = {"role": rival.roles["account_manager"].pk, "office": rival.branch.pk}[field]
        with inside(kudi):
            before = rows()
        response = kudi.client("admin").post(kudi.url("settings/members/invite/"), self.data(kudi, **{field: foreign}))
        assert response.status_code == 422
        assert "not available" in text(response)
        with inside(kudi):
            assert rows() == before

    def test_a_role_above_is_no_choice(self, world: World) -> None:
        kudi = world.kudi
        data = self.data(kudi, role=kudi.roles["super_admin"].pk)
        assert kudi.client("admin").post(kudi.url("settings/members/invite/"), data).status_code == 422

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"email": "ngozi"}, "not a complete e-mail address"),
            ({"first_name": "<b>x</b>"}, "cannot contain"),
            ({"last_name": "http://evil.example"}, "a link"),
            ({"email": "compliance@kudi.example"}, "already a team member"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_the_input(self, world: World, changes: dict[str, object], words: str) -> None:
        kudi = world.kudi
        response = kudi.client("admin").post(kudi.url("settings/members/invite/"), self.data(kudi, **changes))
        assert response.status_code == 422
        assert words in text(response)
        assert 'value="Ngozi"' in response.content.decode() or "first_name" in changes


class TestManage:
    def url(self, lender: Lender, target: Member, rest: str = "") -> str:
        return lender.url(f"settings/members/{target.pk}/{rest}")

    def test_the_journey(self, world: World) -> None:
        kudi = world.kudi
        client, target = kudi.client("admin"), kudi["customer_support"]
        url = self.url(kudi, target)
        page = text(client.get(url))
        for label in ("Role", "Office", "Update", "What Customer Support allows"):
            assert label in page, label
        support = kudi.client("customer_support")
        assert support.get(kudi.url("audit/")).status_code in (403, 404)
        response = client.post(
            url, {"role": kudi.roles["compliance"].pk, "office": kudi.head.pk, "version": 1}, follow=True
        )
        assert f"{target.name} is now Compliance in Head Office T1." in text(response)
        assert support.get(kudi.url("settings/roles/")).status_code == 200

    def test_says_before_pressing_what_changes(self, world: World) -> None:
        kudi = world.kudi
        client, target = kudi.client("admin"), kudi["account_manager"]
        chosen = {"role": kudi.roles["customer_support"].pk, "office": kudi.other_branch.pk}
        page = text(client.get(self.url(kudi, target), chosen))
        for words in (
            "Gains Find customers and see their card (whole organization)",
            "Loses Reveal masked numbers (own customers)",
            "Moves from Ikeja T1 to Kano T1",
            "The 1 customer dedicated to",
        ):
            assert words in page, words
        page = text(client.post(self.url(kudi, target), {**chosen, "version": 1, "refresh": "1"}))
        assert "Moves from Ikeja T1 to Kano T1" in page
        chosen["role"] = kudi.roles["no_users_unit"].pk
        assert "does not open customers" in text(client.get(self.url(kudi, target), chosen))
        response = client.post(self.url(kudi, target), {**chosen, "version": 1})
        assert response.status_code == 422
        assert "account manager of 1 customer" in text(response)

    def test_two_admins_at_once(self, world: World) -> None:
        kudi = world.kudi
        target = kudi["customer_support"]
        data = {"role": kudi.roles["compliance"].pk, "office": kudi.branch.pk, "version": 1}
        kudi.client("admin").post(self.url(kudi, target), data)
        data["role"] = kudi.roles["loan_officer"].pk
        response = kudi.client("super_admin").post(self.url(kudi, target), data)
        assert response.status_code == 422
        assert "Somebody changed" in text(response)
        with inside(kudi):
            assert fresh(target).role == kudi.roles["compliance"]

    @pytest.mark.parametrize("rest", ["", "deactivate/", "reactivate/"])
    def test_who_is_not_to_be_touched(self, world: World, rest: str) -> None:
        kudi, rival = world.kudi, world.rival
        with inside(kudi):
            before = rows()
        client = kudi.client("admin")
        for target, status in ((kudi["super_admin"], 403), (kudi["admin"], 403), (rival["compliance"], 404)):
            url = self.url(kudi, target, rest)
            assert client.get(url).status_code == status
            data = {"role": kudi.roles["compliance"].pk, "office": kudi.branch.pk, "version": 1}
            assert client.post(url, data).status_code == status
        assert client.get(kudi.url(f"settings/members/999999999999999999999/{rest}")).status_code == 404
        with inside(kudi):
            after = rows()
            assert {event["verb"] for event in after.pop("AuditEvent")} == {"access.refused"}
            assert after == {name: before[name] for name in after}

    def test_foreign_choices_are_refused(self, world: World) -> None:
        kudi, rival = world.kudi, world.rival
        for field, foreign in (("role", rival.roles["compliance"]), ("office", rival.branch)):
            data = {"role": kudi.roles["compliance"].pk, "office": kudi.branch.pk, "version": 1, field: foreign.pk}
            response = kudi.client("super_admin").post(self.url(kudi, kudi["customer_support"]), data)
            assert response.status_code == 422
        with inside(kudi):
            assert fresh(kudi["customer_support"]).version == 1

    def test_deactivate_and_reactivate(self, world: World) -> None:
        kudi = world.kudi
        client, target = kudi.client("admin"), kudi["customer_support"]
        assert "at once" in text(client.get(self.url(kudi, target, "deactivate/")))
        response = client.post(self.url(kudi, target, "deactivate/"), follow=True)
        assert f"{target.name} is deactivated" in text(response)
        assert "Deactivated 2" in text(response)
        response = client.post(self.url(kudi, target, "reactivate/"), follow=True)
        assert f"{target.name} is active again as Customer Support" in text(response)

    def test_deactivating_lists_the_customers_first(self, world: World) -> None:
        kudi = world.kudi
        url = self.url(kudi, kudi["account_manager"], "deactivate/")
        page = text(kudi.client("admin").get(url))
        assert "account manager of 1 customer" in page
        assert kudi.customers["own"].name in page
        assert kudi.client("admin").post(url).status_code == 422
        with inside(kudi):
            assert fresh(kudi["account_manager"]).status == "active"


class TestInvitations:
    def test_resend_and_revoke(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        with inside(kudi):
            invitation = invitation_for(kudi)
        base = kudi.url(f"settings/invitations/{invitation.pk}/")
        assert "stops working" in text(client.get(f"{base}resend/"))
        assert "A new link is on its way" in text(client.post(f"{base}resend/", follow=True))
        assert "is revoked" in text(client.post(f"{base}revoke/", follow=True))
        assert client.post(f"{base}resend/").status_code == 422
        with inside(kudi):
            assert fresh(invitation).revoked_at is not None

    @pytest.mark.parametrize("action", ["resend", "revoke"])
    def test_of_others_do_not_exist(self, world: World, action: str) -> None:
        with inside(world.rival):
            invitation = invitation_for(world.rival)
        url = world.kudi.url(f"settings/invitations/{invitation.pk}/{action}/")
        assert world.kudi.client("super_admin").post(url).status_code == 404
        assert world.kudi.client("compliance").post(url).status_code == 403


class TestOffices:
    def test_the_tree(self, world: World) -> None:
        kudi = world.kudi
        response = kudi.client("admin").get(kudi.url("settings/offices/"))
        rows = response.context["tree"].rows
        assert [row.office.name for row in rows] == ["Head Office T1", "Ikeja T1", "Kano T1"]
        assert [(row.members.counted, row.all_members.counted) for row in rows] == [(0, 8), (7, 7), (1, 1)]
        assert [(str(row.customers), str(row.all_customers)) for row in rows] == [("0", "4"), ("2", "2"), ("2", "2")]
        page = text(response)
        assert "New office" in page
        assert "T-2" not in page
        page = text(kudi.client("compliance").get(kudi.url("settings/offices/")))
        assert "New office" not in page

    def test_costs_the_same_for_few_and_for_many(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/offices/")
        few = statements(client, url)
        with inside(kudi):
            for _ in range(25):
                factories.OfficeFactory(organization=kudi.organization, parent=kudi.branch)
        assert statements(client, url) == few
        assert few <= 8

    def test_add_and_edit(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        data: dict[str, object] = {"name": "Recovery", "type": "team", "parent": kudi.branch.pk, "description": ""}
        response = client.post(kudi.url("settings/offices/new/"), data, follow=True)
        assert "The office Recovery is there." in text(response)
        with inside(kudi):
            office = Office.objects.get(name="Recovery")
        url = kudi.url(f"settings/offices/{office.pk}/")
        assert 'value="Recovery"' in client.get(url).content.decode()
        officer = kudi["loan_officer"]
        response = client.post(
            url,
            {**data, "name": "Recoveries", "head": officer.pk, "description": "By phone", "version": 1},
            follow=True,
        )
        page = text(response)
        assert all(
            words in page for words in ("Recoveries", "By phone", officer.name, f"works in {officer.office.name}")
        )

    def test_below_each_other_with_what_is_searched_for(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            team = factories.OfficeFactory(organization=kudi.organization, name="Recovery <b>", parent=kudi.branch)
            factories.OfficeFactory(organization=kudi.organization, name="Kaduna", parent=team, is_active=False)
        client, url = kudi.client("admin"), kudi.url("settings/offices/")

        def shown(**query: str) -> list[str]:
            return [row.office.name for row in client.get(url, query).context["tree"].rows]

        page = client.get(url, {"q": "cover"}).content.decode()
        assert "Re<mark>cover</mark>y &lt;b&gt;" in page
        assert shown(q="COVER") == ["Head Office T1", "Ikeja T1", "Recovery <b>"]
        assert shown(q="kaduna") == []
        assert "No office of this name" in text(client.get(url, {"q": "kaduna"}))
        assert shown(state="deactivated") == ["Head Office T1", "Ikeja T1", "Recovery <b>", "Kaduna"]
        assert shown(state="deactivated", q="ikeja") == []
        assert shown(fold="closed") == ["Head Office T1"]
        assert shown(fold="closed", toggled=f"{kudi.head.pk}") == ["Head Office T1", "Ikeja T1", "Kano T1"]
        assert shown(toggled=f"{kudi.branch.pk}.x.99999999999999999999") == ["Head Office T1", "Ikeja T1", "Kano T1"]
        assert len(shown(fold="maybe", toggled="x", state="x")) == 4
        assert 'aria-expanded="false"' in client.get(url, {"fold": "closed"}).content.decode()

    def test_counts_no_further_than_it_says(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        kudi = world.kudi
        with inside(kudi):
            tree = office_pages.office_tree(kudi["admin"], {})
            assert [str(row.all_customers) for row in tree.rows] == ["4", "2", "2"]
            rows = Office.objects.for_organization(kudi.organization).with_counts(0).order_by("pk")
            assert [row.customer_count for row in rows] == [0, 1, 1]
        assert str(office_pages.Amount(10_000, True) + office_pages.Amount(2)) == "10,002+"

    def test_refusals_stand_at_their_field(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        url = kudi.url(f"settings/offices/{kudi.branch.pk}/")
        data: dict[str, object] = {"name": "Ikeja T1", "type": "branch", "version": 1}
        for field, value, words in (
            ("name", "kano t1", "There is already an office called kano t1."),
            ("head", kudi["deactivated"].pk, "This choice is not available."),
            ("head", world.rival["admin"].pk, "This choice is not available."),
            ("type", "castle", "This choice is not available."),
        ):
            response = client.post(url, {**data, field: value})
            assert response.status_code == 422
            assert words in text(response)
        assert "Only a head office stands on its own." in text(
            client.post(kudi.url(f"settings/offices/{kudi.head.pk}/"), {**data, "name": "Head Office T1"})
        )
        assert client.get(kudi.url(f"settings/offices/{world.rival.branch.pk}/")).status_code == 404
        assert kudi.client("compliance").get(url).status_code == 403

    def test_who_sees_no_members_leaves_the_head_alone(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = factories.RoleFactory(
                organization=kudi.organization,
                reaches={"offices.view": "organization", "offices.manage": "organization"},
            )
            kudi.members["keeper"] = extra_member(kudi, "", role=role)
            Office.objects.filter(pk=kudi.branch.pk).update(head=kudi["loan_officer"])
        client, url = kudi.client("keeper"), kudi.url(f"settings/offices/{kudi.branch.pk}/")
        assert "Head of office" not in text(client.get(url))
        assert client.post(url, {"name": "Ikeja Road", "type": "branch", "version": 1}).status_code == 302
        with inside(kudi):
            office = fresh(kudi.branch)
        assert (office.name, office.head_id) == ("Ikeja Road", kudi["loan_officer"].pk)

    def test_reactivate(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            closed = factories.OfficeFactory(
                organization=kudi.organization, name="Kaduna", parent=kudi.head, is_active=False
            )
        client, url = kudi.client("admin"), kudi.url(f"settings/offices/{closed.pk}/reactivate/")
        assert "opens again below Head Office T1" in text(client.get(url))
        assert "Kaduna is active again." in text(client.post(url, follow=True))


class TestRolesAndSecurity:
    def test_the_table_says_what_each_role_may_do(self, world: World) -> None:
        kudi = world.kudi
        response = kudi.client("compliance").get(kudi.url("settings/roles/?show=table"))
        page = text(response)
        for words in ("Users", "Open full profiles", "Own", "Organization", "Yes", "No"):
            assert words in page, words
        assert "T-2" not in page
        [view] = [
            line for unit in response.context["units"] for line in unit.lines if line.capability == "customers.view"
        ]
        shown = {cell.role.built_in or "custom": cell.word for cell in view.cells}
        assert shown == {
            "super_admin": "Organization",
            "admin": "Organization",
            "account_manager": "Own",
            "loan_officer": "Office",
            "customer_support": "Organization",
            "compliance": "Organization",
            "custom": "None",
        }

    @pytest.mark.parametrize("query", ["", "?show=table"])
    def test_roles_cost_the_same_for_few_and_for_many(self, world: World, query: str) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url(f"settings/roles/{query}")
        few = statements(client, url)
        with inside(kudi):
            for _ in range(20):
                factories.RoleFactory(organization=kudi.organization, reaches={"customers.view": "own"})
        assert statements(client, url) == few
        assert few <= 8

    def test_the_security_policy(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("super_admin"), kudi.url("settings/security/")
        page = text(client.get(url))
        assert "Every member needs a second factor" in page
        assert kudi["compliance"].name in page
        assert kudi.client("admin").get(url).status_code == 403
        response = client.post(
            url,
            {
                "requires_second_factor": "on",
                "grace_days": "0",
                "session_idle_minutes": "30",
                "session_hours": "12",
                "version": "1",
            },
        )
        assert response.status_code == 302
        assert fresh(kudi.organization).requires_second_factor
        assert client.get(url).status_code == 302  # to setting up one's own
