"""The pages of roles: what each shows, what the buttons do, and the dry run with and without JavaScript."""

from __future__ import annotations

import re

import pytest

from audit.models import AuditEvent
from teams.capabilities import Capability, Reach
from teams.models import Member, Role
from tests.factories import RoleFactory
from tests.pages import text
from tests.teams.support import extra_member, fresh, inside, rows
from tests.world import Lender, World


def chosen(**reaches: str) -> dict[str, str]:
    return {**{each.field_name: "none" for each in Capability}, **reaches}


@pytest.fixture
def desk(world: World) -> Role:
    """A custom role with two holders in the branch."""
    kudi = world.kudi
    with inside(kudi):
        role: Role = RoleFactory(
            organization=kudi.organization,
            name="Front desk",
            reaches={"customers.find": "office", "customers.view": "office"},
        )
        for _ in range(2):
            extra_member(kudi, "", role=role)
    return role


def url(lender: Lender, role: Role, rest: str = "") -> str:
    return lender.url(f"settings/roles/{role.pk}/{rest}")


class TestList:
    def test_offers_what_each_may(self, world: World, desk: Role) -> None:
        kudi = world.kudi
        page = kudi.client("admin").get(kudi.url("settings/roles/")).content.decode()
        assert "New role" in page
        assert f"settings/roles/{desk.pk}/edit/" in page
        assert f"settings/roles/{kudi.roles['compliance'].pk}/clone/" in page
        assert f"settings/roles/{kudi.roles['compliance'].pk}/edit/" not in page
        assert f"settings/roles/{kudi.roles['super_admin'].pk}/clone/" not in page
        page = kudi.client("compliance").get(kudi.url("settings/roles/")).content.decode()
        assert "New role" not in page
        assert not re.search(r"settings/roles/\d+/(edit|clone|delete)/", page)


class TestDetail:
    def test_says_who_holds_it_and_compares(self, world: World, desk: Role) -> None:
        kudi = world.kudi
        with inside(kudi):
            names = [member.name for member in Member.objects.filter(role=desk)]
        client = kudi.client("compliance")
        page = text(client.get(url(kudi, desk)))
        assert "Who holds it 2" in page
        assert all(name in page for name in names)
        assert "differs" not in page
        page = text(client.get(url(kudi, desk), {"with": kudi.roles["loan_officer"].pk}))
        assert "Find customers and see their card differs Office Organization" in page
        assert "Open full profiles Office Office" in page
        for odd in ("x", "99999999999999999999", str(world.rival.roles["admin"].pk)):
            assert "differs" not in text(client.get(url(kudi, desk), {"with": odd}))

    def test_who_can_do_this(self, world: World, desk: Role) -> None:
        kudi = world.kudi
        client, page = kudi.client("compliance"), kudi.url("settings/roles/who-can/")
        shown = client.get(page, {"permission": "audit.view"})
        assert {row.role.name for row in shown.context["members"]} == {"Super Admin", "Admin", "Compliance"}
        shown = client.get(page, {"permission": "customers.view"})
        assert [role.reach_there for role in shown.context["roles"]] == sorted(
            (role.reach_there for role in shown.context["roles"]), reverse=True
        )
        assert "Front desk" in text(shown)
        assert client.get(page, {"permission": "nonsense"}).status_code == 200


class TestCreate:
    def test_from_the_form(self, world: World) -> None:
        kudi = world.kudi
        data = chosen(name="Teller", description="Cash", customers_find="own", audit_view="organization")
        response = kudi.client("admin").post(kudi.url("settings/roles/new/"), data, follow=True)
        assert "The role Teller is there" in text(response)
        with inside(kudi):
            role = Role.objects.get(name="Teller")
            assert role.reaches == {
                Capability.CUSTOMERS_FIND: Reach.OWN,
                Capability.AUDIT_VIEW: Reach.ORGANIZATION,
            }

    def test_what_one_lacks_has_no_line_and_is_not_taken(self, world: World) -> None:
        kudi = world.kudi
        client, page = kudi.client("admin"), kudi.url("settings/roles/new/")
        assert "organization_security" not in client.get(page).content.decode()
        client.post(page, chosen(name="X", organization_security="organization"))
        with inside(kudi):
            assert not Role.objects.filter(permissions__capability="organization.security", built_in="").exists()

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"name": "admin"}, "There is already a role called admin."),
            ({"name": ""}, "Fill this in."),
            ({"name": "Teller", "customers_create": "own"}, "This choice is not available."),
            ({"name": "Teller", "customers_find": ""}, "Choose one."),
            ({"name": "<b>"}, "cannot contain"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_the_choices(self, world: World, facts: dict[str, str], words: str) -> None:
        kudi = world.kudi
        response = kudi.client("admin").post(
            kudi.url("settings/roles/new/"), chosen(**{"audit_view": "organization", **facts})
        )
        assert response.status_code == 422
        assert words in text(response)
        kept = re.search(r'<input[^>]*name="audit_view"[^>]*value="organization"[^>]*>', response.content.decode())
        assert kept
        assert "checked" in kept.group()


class TestClone:
    def test_leads_to_the_editor(self, world: World) -> None:
        kudi = world.kudi
        client, source = kudi.client("admin"), kudi.roles["compliance"]
        assert "Compliance (copy)" in client.get(url(kudi, source, "clone/")).content.decode()
        response = client.post(url(kudi, source, "clone/"), {"name": "Auditor"}, follow=True)
        assert response.redirect_chain[-1][0].endswith("/edit/")
        assert "Auditor allows what Compliance allows" in text(response)

    def test_of_a_role_above_is_refused_in_words(self, world: World) -> None:
        kudi = world.kudi
        response = kudi.client("admin").post(url(kudi, kudi.roles["super_admin"], "clone/"), {"name": "Deputy"})
        assert response.status_code == 422
        assert "so you cannot give it" in text(response)


class TestEdit:
    WIDER = chosen(customers_find="organization", customers_view="office", audit_view="organization")
    WORDS = ("2 people gain “Read the audit log”.", "2 more customers become visible to 2 people.")

    def test_shows_what_changes_before_saving(self, world: World, desk: Role) -> None:
        kudi = world.kudi
        client, page = kudi.client("admin"), url(kudi, desk, "edit/")
        assert "Nothing changes for anybody." in text(client.get(page))
        before = self.state(kudi)
        for response in (
            client.get(page, self.WIDER),
            client.post(page, {**self.WIDER, "name": "Desk", "version": 1, "preview": "1"}),
        ):
            assert response.status_code == 200
            for words in self.WORDS:
                assert words in text(response)
        assert 'value="Desk"' in response.content.decode()
        assert self.state(kudi) == before

    def state(self, lender: Lender) -> object:
        with inside(lender):
            return rows()

    def test_saves_and_keeps_it_in_the_log(self, world: World, desk: Role) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        data = {**self.WIDER, "name": "Desk", "description": "", "version": 1}
        response = client.post(url(kudi, desk, "edit/"), data, follow=True)
        assert "The role Desk is saved." in text(response)
        with inside(kudi):
            effect = AuditEvent.objects.get(verb="role.changed").after["effect"]
        assert all(words in effect for words in self.WORDS)
        log = text(client.get(kudi.url("audit/?verb=role.changed")))
        assert all(words in log for words in self.WORDS)
        data["audit_view"] = "none"
        stale = client.post(url(kudi, desk, "edit/"), data)
        assert stale.status_code == 422
        assert "Somebody changed the role Desk" in text(stale)

    def test_customers_keep_somebody_who_can_open_them(self, world: World, desk: Role) -> None:
        kudi = world.kudi
        with inside(kudi):
            Member.objects.filter(pk=kudi["account_manager"].pk).update(role=desk)
        response = kudi.client("admin").post(
            url(kudi, desk, "edit/"), {**chosen(), "name": "Front desk", "version": fresh_version(kudi, desk)}
        )
        assert response.status_code == 422
        assert "is the account manager of 1 customer" in text(response)

    @pytest.mark.parametrize("action", ["edit/", "delete/"])
    def test_is_closed_for_built_in_roles_and_ones_own(self, world: World, desk: Role, action: str) -> None:
        kudi = world.kudi
        client = kudi.client("super_admin")
        for method in (client.get, client.post):
            response = method(url(kudi, kudi.roles["compliance"], action))
            assert response.status_code == 403
            assert "is a built-in role and stays as it is" in text(response)
        with inside(kudi):
            own = RoleFactory(organization=kudi.organization, name="Keeper", reaches={"roles.manage": "organization"})
            kudi.members["keeper"] = extra_member(kudi, "", role=own)
        assert "is your own role" in text(kudi.client("keeper").get(url(kudi, own, action)))
        assert "allows more than yours" in text(kudi.client("keeper").get(url(kudi, desk, action)))


def fresh_version(lender: Lender, role: Role) -> int:
    with inside(lender):
        return int(fresh(role).version)


class TestDelete:
    def test_asks_for_a_replacement_and_says_what_that_changes(self, world: World, desk: Role) -> None:
        kudi = world.kudi
        client, page = kudi.client("admin"), url(kudi, desk, "delete/")
        assert "2 members have this role" in text(client.get(page))
        support = {"replacement": kudi.roles["customer_support"].pk}
        for response in (client.get(page, support), client.post(page, {**support, "preview": "1"})):
            assert "2 more customers become visible to 2 people." in text(response)
        assert client.post(page, {}).status_code == 422
        assert client.post(page, {"replacement": kudi.roles["super_admin"].pk}).status_code == 422
        response = client.post(page, support, follow=True)
        assert "Everybody who had it is now Customer Support." in text(response)
        assert client.get(page).status_code == 404

    def test_of_an_unused_role_only_asks_whether(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = RoleFactory(organization=kudi.organization, name="Unused")
        client = kudi.client("admin")
        assert "Nobody has this role." in text(client.get(url(kudi, role, "delete/")))
        assert "The role Unused is deleted." in text(client.post(url(kudi, role, "delete/"), follow=True))
