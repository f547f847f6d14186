"""One role or office for several members: all of them or nobody, each under the rules for one."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import AuditEvent
from lendconsole.errors import NotVisible, PermissionMissing
from teams import services
from teams.errors import NotForAll
from tests.pages import text
from tests.teams.support import extra_member, fresh, inside, mails, refused, rows, verbs
from tests.world import Lender, World


def change(lender: Lender, *keys: str, actor: str = "admin", **wanted: Any) -> Any:
    members = [fresh(lender[key]) for key in keys]
    return services.change_members(actor=lender[actor], members=members, **{"role": None, "office": None, **wanted})


def test_everybody_gets_the_role_and_a_line_and_a_letter(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        change(kudi, "loan_officer", "customer_support", "compliance", role=kudi.roles["compliance"])
        for key in ("loan_officer", "customer_support", "compliance"):
            assert fresh(kudi[key]).role == kudi.roles["compliance"]
        assert verbs() == ["member.role_changed"] * 2
        assert len(mails("teams/role_changed")) == 2


def test_an_office_alone_keeps_the_roles(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        change(kudi, "loan_officer", "account_manager", office=kudi.other_branch)
        assert {fresh(kudi[key]).office for key in ("loan_officer", "account_manager")} == {kudi.other_branch}
        assert {event.verb for event in AuditEvent.objects.all()} == {"member.office_changed"}


@pytest.mark.parametrize(
    ("actor", "keys", "role", "words"),
    [
        ("admin", ("loan_officer", "super_admin"), "compliance", "Ask a Super Admin"),
        ("admin", ("loan_officer", "admin"), "compliance", "Nobody changes their own"),
        ("super_admin", ("loan_officer", "account_manager"), "no_users_unit", "account manager of 1 customer"),
        ("admin", ("loan_officer", "compliance"), "super_admin", "allows more than yours"),
    ],
)
def test_one_who_cannot_stops_all(world: World, actor: str, keys: tuple[str, ...], role: str, words: str) -> None:
    kudi = world.kudi
    with inside(kudi), refused(NotForAll, match="Nobody was changed") as caught:
        change(kudi, *keys, actor=actor, role=kudi.roles[role])
    assert words in str(caught.value)


def test_all_super_admins_do_not_go_together(world: World) -> None:
    """With a custom role as wide as Super Admin somebody else could try."""
    kudi = world.kudi
    with inside(kudi):
        kudi.members["second"] = extra_member(kudi, "super_admin")
        kudi.members["twin"] = extra_member(kudi, "super_admin")
        change(kudi, "super_admin", "second", actor="twin", role=kudi.roles["compliance"])
        assert verbs() == ["member.role_changed"] * 2
    with inside(kudi), refused(NotForAll, match="Nobody changes their own"):
        change(kudi, "twin", actor="twin", role=kudi.roles["compliance"])


def test_an_older_version_stops_all(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        seen = [fresh(kudi[key]) for key in ("loan_officer", "customer_support")]
        change(kudi, "customer_support", office=kudi.head)
    with inside(kudi), refused(NotForAll, match="while you had this open"):
        services.change_members(actor=kudi["admin"], members=seen, role=kudi.roles["compliance"], office=None)


@pytest.mark.parametrize("actor", ["compliance", "account_manager", "deactivated"])
def test_without_the_permission_nobody_changes(world: World, actor: str) -> None:
    kudi = world.kudi
    with inside(kudi), refused(PermissionMissing):
        change(kudi, "loan_officer", actor=actor, role=kudi.roles["compliance"])


def test_of_another_lender_nothing_exists(world: World) -> None:
    kudi, rival = world.kudi, world.rival
    with inside(kudi), refused(NotVisible):
        services.change_members(
            actor=kudi["super_admin"],
            members=[rival["loan_officer"]],
            role=kudi.roles["compliance"],
            office=kudi.head,
        )
    for wanted in ({"role": rival.roles["compliance"]}, {"office": rival.branch}):
        with inside(kudi), refused(NotForAll, match="not available"):
            change(kudi, "loan_officer", actor="super_admin", **wanted)


class TestPage:
    def test_the_journey(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/members/change/")
        keys = [kudi[key].pk for key in ("loan_officer", "customer_support")]
        page = client.get(kudi.url("settings/members/")).content.decode()
        assert f'value="{keys[0]}"' in page
        assert "Choose Super" not in page
        page = client.get(url, {"member": keys})
        assert "All of them are changed or nobody is" in text(page)
        chosen = page.context["form"]["chosen"].value()
        data = {"chosen": chosen, "role": kudi.roles["compliance"].pk, "office": kudi.head.pk}
        with inside(kudi):
            before = rows()
        page = client.post(url, {**data, "preview": "1"})
        assert "2 members become Compliance and move to Head Office T1" in text(page)
        with inside(kudi):
            assert rows() == before
        page = client.post(url, {**data, "change": "1"}, follow=True)
        assert "2 members are now Compliance in Head Office T1." in text(page)

    def test_refusals_stand_beside_the_names(self, world: World) -> None:
        kudi = world.kudi
        chosen = ",".join(f"{kudi[key].pk}:1" for key in ("loan_officer", "account_manager"))
        data = {"chosen": chosen, "role": kudi.roles["no_users_unit"].pk}
        client, url = kudi.client("super_admin"), kudi.url("settings/members/change/")
        page = text(client.post(url, {**data, "preview": "1"}))
        assert "1 of 2 cannot be changed, so nobody would be" in page
        assert "account manager of 1 customer" in page
        assert client.post(url, {**data, "change": "1"}).status_code == 422
        assert client.post(url, {"chosen": chosen, "change": "1"}).status_code == 422

    @pytest.mark.parametrize("numbers", [["x"], ["99999999999999999999"], ["0"], ["-1"]])
    def test_what_is_no_member_is_not_found(self, world: World, numbers: list[str]) -> None:
        kudi = world.kudi
        client, url = kudi.client("admin"), kudi.url("settings/members/change/")
        assert client.get(url, {"member": numbers}).status_code == 404
        assert client.get(url, {"member": world.rival["compliance"].pk}).status_code == 404
        assert client.post(url, {"chosen": ",".join(numbers), "change": "1"}).status_code == 404
        assert "Nobody is chosen" in text(client.get(url))

    @pytest.mark.parametrize("field", ["role", "office"])
    def test_foreign_choices_are_refused(self, world: World, field: str) -> None:
        kudi, rival = world.kudi, world.rival
        foreign = {"role": rival.roles["compliance"].pk, "office": rival.branch.pk}[field]
        data = {"chosen": f"{kudi['loan_officer'].pk}:1", field: foreign, "change": "1"}
        assert kudi.client("admin").post(kudi.url("settings/members/change/"), data).status_code == 422
