"""The pages of members and invitations: labels, scoping, refusals, and the same number of statements for one row and for many."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from teams.models import Invitation, Member
from tests import factories
from tests.pages import statements, text
from tests.teams.support import extra_member, fresh, inside, invitation_for, mails, rows
from tests.world import Lender, World


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
        client.get(url)
        few = len(statements(client, url))
        with inside(kudi):
            for _ in range(24):
                extra_member(kudi, "loan_officer", office=kudi.other_branch)
                invitation_for(kudi, first_name="First", role="loan_officer")
        assert len(statements(client, url)) == few
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
