"""The tree of offices: names, parents, moves, closing."""

from __future__ import annotations

import pytest

from audit.models import AuditEvent
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from teams import services
from teams.errors import NameTaken, OfficeCycle, OfficeInUse, OfficeNeedsParent, OfficeNotReached, OfficeTooDeep
from teams.models import Office
from tests.teams.support import extra_member, fresh, inside, invitation_for, refused, verbs
from tests.world import Lender, World


def create(lender: Lender, name: str, parent: Office | None, actor: str = "admin", office_type: str = "team") -> Office:
    return services.create_office(actor=lender[actor], name=name, office_type=office_type, parent=parent)


def change(lender: Lender, office: Office, actor: str = "admin", **changes: object) -> Office:
    office = fresh(office)
    facts = {
        "name": office.name,
        "description": office.description,
        "office_type": office.type,
        "parent": office.parent,
        "is_active": office.is_active,
        "version": office.version,
        **changes,
    }
    return services.change_office(actor=lender[actor], office=office, **facts)


def test_a_new_office_hangs_below_its_parent(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        team = create(kudi, "Recovery", kudi.branch)
        assert team.path == f"{kudi.branch.path}{team.pk}/"
        assert team.depth == 2
        assert verbs() == ["office.created"]


def test_only_a_head_office_stands_alone(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(OfficeNeedsParent) as caught:
        create(kudi, "Recovery", None)
    assert caught.value.field == "parent"
    with inside(kudi):
        assert create(kudi, "Ghana", None, office_type="head_office").depth == 0
    with inside(kudi), refused(OfficeNeedsParent):
        change(kudi, kudi.head, office_type="branch")


def test_names_are_taken_once_whatever_the_case(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(NameTaken):
        create(kudi, "iKEJA t1", kudi.head)
    with inside(kudi), refused(NameTaken):
        change(kudi, kudi.other_branch, name="ikeja T1")
    with inside(kudi):
        assert change(kudi, kudi.branch, name="IKEJA T1").name == "IKEJA T1"


@pytest.mark.parametrize("actor", ["compliance", "account_manager", "no_users_unit"])
def test_without_the_permission_the_tree_stays(world: World, actor: str) -> None:
    kudi = world.kudi
    with inside(kudi), refused(PermissionMissing):
        create(kudi, "Recovery", kudi.branch, actor)
    with inside(kudi), refused((PermissionMissing, NotVisible)):
        change(kudi, kudi.branch, actor, name="New")


def test_offices_of_another_lender_do_not_exist(world: World) -> None:
    kudi, rival = world.kudi, world.rival
    with inside(kudi), refused(OfficeNotReached) as caught:
        create(kudi, "Recovery", rival.branch)
    assert caught.value.field == "parent"
    with inside(rival):
        foreign = fresh(rival.branch)
    with inside(kudi), refused(NotVisible):
        services.change_office(
            actor=kudi["super_admin"],
            office=foreign,
            name="Mine",
            description="",
            office_type="branch",
            parent=kudi.head,
            is_active=True,
            version=1,
        )


def test_a_move_takes_everything_below_along(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        team = create(kudi, "Recovery", kudi.branch)
        squad = create(kudi, "Evening", team)
        moved = change(kudi, kudi.branch, parent=kudi.other_branch)
        assert moved.path == f"{kudi.other_branch.path}{moved.pk}/"
        assert fresh(squad).path == f"{moved.path}{team.pk}/{squad.pk}/"
        assert set(Office.objects.below(fresh(kudi.other_branch))) == {kudi.other_branch, moved, team, squad}
        assert fresh(kudi.head).path == kudi.head.path


def test_an_office_never_lies_below_itself(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        team = create(kudi, "Recovery", kudi.branch)
    for parent in (kudi.branch, team):
        with inside(kudi), refused(OfficeCycle):
            change(kudi, kudi.branch, parent=fresh_inside(kudi, parent))


def fresh_inside(lender: Lender, office: Office) -> Office:
    with inside(lender):
        return fresh(office)


def test_the_tree_has_a_bottom(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        lowest = kudi.branch
        for level in range(8):
            lowest = create(kudi, f"Level {level}", lowest)
        pair = create(kudi, "Above", kudi.head)
        create(kudi, "Below", pair)
    with inside(kudi), refused(OfficeTooDeep):
        create(kudi, "Too deep", lowest)
    with inside(kudi), refused(OfficeTooDeep):
        change(kudi, pair, parent=fresh_inside(kudi, lowest).parent)


def test_an_office_in_use_is_not_closed(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        create(kudi, "Recovery", kudi.branch)
        invitation_for(kudi)
    with (
        inside(kudi),
        refused(OfficeInUse, match="1 office below it, 7 active members, 1 open invitation and 2") as caught,
    ):
        change(kudi, kudi.branch, is_active=False)
    assert caught.value.field == "is_active"


def test_an_empty_office_closes_and_opens_again(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        team = create(kudi, "Recovery", kudi.branch)
        extra_member(kudi, "compliance", office=team, status="deactivated")
        assert not change(kudi, team, is_active=False).is_active
        assert change(kudi, team, is_active=True).is_active
    with inside(kudi):
        change(kudi, team, is_active=False)
    with inside(kudi), refused(OfficeNotReached):
        create(kudi, "Under a closed one", team)


def test_the_log_tells_what_changed_in_words(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        change(kudi, kudi.branch, name="Ikeja Road", office_type="team", parent=kudi.other_branch)
        event = AuditEvent.objects.latest("pk")
        assert event.before == {"name": "Ikeja T1", "type": "Branch", "parent": "Head Office T1"}
        assert event.after == {"name": "Ikeja Road", "type": "Team", "parent": "Kano T1"}


def test_the_same_again_and_an_older_version(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        assert change(kudi, kudi.branch, version=7).version == 1
        change(kudi, kudi.branch, description="By the bridge")
    with inside(kudi), refused(StaleVersion):
        change(kudi, kudi.branch, description="By the river", version=1)
