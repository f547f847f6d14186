"""The tree of offices: names, parents, heads, moves. Closing and merging: tests/customers/test_offices.py."""

from __future__ import annotations

import pytest

from audit.models import AuditEvent
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from teams import services
from teams.errors import (
    HeadNotEligible,
    NameTaken,
    OfficeClosed,
    OfficeCycle,
    OfficeNeedsParent,
    OfficeNotReached,
    OfficeTooDeep,
)
from teams.models import Office
from tests.teams.support import fresh, inside, refused, verbs
from tests.world import Lender, World


def create(lender: Lender, name: str, parent: Office | None, actor: str = "admin", office_type: str = "team") -> Office:
    return services.create_office(actor=lender[actor], name=name, office_type=office_type, parent=parent)


def change(lender: Lender, office: Office, actor: str = "admin", **changes: object) -> Office:
    office = fresh(office)
    facts = {
        "name": office.name,
        "description": office.description,
        "office_type": office.type,
        "head": office.head,
        "version": office.version,
        **changes,
    }
    return services.change_office(actor=lender[actor], office=office, **facts)


def move(lender: Lender, office: Office, parent: Office | None, actor: str = "admin") -> Office:
    return services.move_office(
        actor=lender[actor], office=office, parent=fresh(parent) if parent else None, version=fresh(office).version
    )


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
    with inside(kudi), refused((PermissionMissing, NotVisible)):
        move(kudi, kudi.branch, kudi.other_branch, actor)


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
            head=None,
            version=1,
        )
    with inside(kudi), refused(NotVisible):
        services.move_office(actor=kudi["super_admin"], office=foreign, parent=kudi.head, version=1)
    with inside(kudi), refused(NotVisible):
        services.reactivate_office(actor=kudi["super_admin"], office=foreign)
    with inside(kudi), refused(OfficeNotReached):
        services.move_office(actor=kudi["super_admin"], office=kudi.branch, parent=foreign, version=1)


def test_a_move_takes_everything_below_along(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        team = create(kudi, "Recovery", kudi.branch)
        squad = create(kudi, "Evening", team)
        moved = move(kudi, kudi.branch, kudi.other_branch)
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
            move(kudi, kudi.branch, parent)


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
        move(kudi, pair, lowest.parent)


def test_it_opens_again_where_it_was(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        team = create(kudi, "Recovery", kudi.branch)
        squad = create(kudi, "Evening", team)
        Office.objects.filter(pk__in=[team.pk, squad.pk]).update(is_active=False)
    with inside(kudi), refused(OfficeClosed, match="belongs to Recovery, which is not active"):
        services.reactivate_office(actor=kudi["admin"], office=squad)
    with inside(kudi), refused(OfficeNotReached):
        create(kudi, "Under a closed one", team)
    with inside(kudi), refused(OfficeNotReached):
        move(kudi, kudi.other_branch, team)
    with inside(kudi), refused(OfficeClosed, match="Recovery is not active"):
        move(kudi, team, kudi.other_branch)
    with inside(kudi), refused(PermissionMissing):
        services.reactivate_office(actor=kudi["compliance"], office=team)
    with inside(kudi):
        for _ in range(2):
            assert services.reactivate_office(actor=kudi["admin"], office=team).is_active
        assert services.reactivate_office(actor=kudi["admin"], office=squad).is_active
        assert verbs()[-2:] == ["office.reactivated", "office.reactivated"]


class TestHead:
    def test_is_an_active_member_of_the_lender(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            assert change(kudi, kudi.branch, head=kudi["other_manager"]).head == kudi["other_manager"]
            event = AuditEvent.objects.latest("pk")
            assert (event.before, event.after) == ({"head": None}, {"head": kudi["other_manager"].name})
            led = services.create_office(
                actor=kudi["admin"], name="Lekki", office_type="branch", parent=kudi.head, head=kudi["loan_officer"]
            )
            assert fresh(led).head == kudi["loan_officer"]
        for stranger in (kudi["deactivated"], world.rival["admin"]):
            with inside(kudi), refused(HeadNotEligible) as caught:
                change(kudi, kudi.branch, head=stranger)
            assert caught.value.field == "head"
            with inside(kudi), refused(HeadNotEligible):
                services.create_office(
                    actor=kudi["admin"], name="Abuja", office_type="branch", parent=kudi.head, head=stranger
                )

    @pytest.mark.parametrize("end", ["deactivate", "remove", "leave"])
    def test_nobody_without_access_stays_one(self, world: World, end: str) -> None:
        kudi, officer = world.kudi, world.kudi["loan_officer"]
        with inside(kudi):
            change(kudi, kudi.branch, head=officer)
            change(kudi, kudi.other_branch, head=officer)
            if end == "deactivate":
                services.deactivate_member(actor=kudi["admin"], member=officer)
            elif end == "remove":
                services.remove_member(actor=kudi["admin"], member=officer)
            else:
                services.leave_organization(actor=officer)
            assert not Office.objects.exclude(head=None).exists()
            cleared = AuditEvent.objects.filter(verb="office.changed", after={"head": None})
            assert cleared.count() == 2

    def test_who_moves_elsewhere_stays_one(self, world: World) -> None:
        kudi, officer = world.kudi, world.kudi["loan_officer"]
        with inside(kudi):
            change(kudi, kudi.branch, head=officer)
            services.change_member(
                actor=kudi["admin"], member=officer, role=officer.role, office=kudi.other_branch, version=1
            )
            assert fresh(kudi.branch).head == officer


def test_the_log_tells_what_changed_in_words(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        change(kudi, kudi.branch, name="Ikeja Road", office_type="team")
        event = AuditEvent.objects.latest("pk")
        assert event.before == {"name": "Ikeja T1", "type": "Branch"}
        assert event.after == {"name": "Ikeja Road", "type": "Team"}
        move(kudi, kudi.branch, kudi.other_branch)
        event = AuditEvent.objects.latest("pk")
        assert (event.verb, event.before) == ("office.moved", {"belongs_to": "Head Office T1"})
        assert event.after == {"belongs_to": "Kano T1"}


def test_the_same_again_and_an_older_version(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        assert change(kudi, kudi.branch, version=7).version == 1
        change(kudi, kudi.branch, description="By the bridge")
    with inside(kudi), refused(StaleVersion):
        change(kudi, kudi.branch, description="By the river", version=1)
    with inside(kudi), refused(StaleVersion):
        services.move_office(actor=kudi["admin"], office=kudi.branch, parent=kudi.other_branch, version=1)
    with inside(kudi):
        assert services.move_office(actor=kudi["admin"], office=kudi.branch, parent=kudi.head, version=1).version == 2
