"""Moving, closing and merging offices: what goes where, what it does to people's sight, and who may not."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import AuditEvent
from customers.models import Assignment, Customer
from customers.office_effects import OfficeEffects, office_effects
from customers.services.offices import deactivate_office, merge_office, move_office
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from teams.capabilities import Capability
from teams.errors import (
    LastOffice,
    OfficeClosed,
    OfficeCycle,
    OfficeInUse,
    OfficeNotReached,
    OfficeTooDeep,
    PlaceNotHeld,
)
from teams.models import Member, Office, Role
from teams.rearrangement import Rearrangement
from teams.services.closing import Targets, piles_of, rearrangement
from tests.factories import CustomerFactory, OfficeFactory, RoleFactory, dedicate
from tests.teams.support import extra_member, fresh, inside, invitation_for, refused, verbs
from tests.world import Lender, World

LEAD = {"customers.find": "office", "customers.view": "office", "members.view": "office"}
WIDE = {**dict.fromkeys(LEAD, "organization"), "customers.oversee": "organization"}
KEEPER = {"offices.view": "organization", "offices.manage": "organization"}


def office_of(lender: Lender, name: str, parent: Office | None, **facts: Any) -> Office:
    row: Office = OfficeFactory(organization=lender.organization, name=name, parent=parent, **facts)
    return row


def somebody(lender: Lender, office: Office, reaches: dict[str, str]) -> Member:
    role: Role = RoleFactory(organization=lender.organization, reaches=reaches)
    return extra_member(lender, "", role=role, office=office)


def sight(lender: Lender) -> dict[tuple[int, str], set[int]]:
    """Which customers every active member finds and opens, by the rule."""
    members = Member.objects.active().select_related("organization", "user", "role", "office")
    return {
        (member.pk, capability): set(Customer.objects.permitted(member, capability).values_list("pk", flat=True))
        for member in members.for_organization(lender.organization)
        for capability in (Capability.CUSTOMERS_FIND, Capability.CUSTOMERS_VIEW)
    }


def measured(lender: Lender, before: dict[tuple[int, str], set[int]]) -> set[tuple[int, str, bool, int]]:
    after = sight(lender)
    found = set()
    for (member, capability), had in before.items():
        has = after[member, capability]
        found |= {(member, capability, True, len(has - had)), (member, capability, False, len(had - has))}
    return {row for row in found if row[3]}


def foretold(effects: OfficeEffects) -> set[tuple[int, str, bool, int]]:
    return {
        (row.member.pk, change.capability.value, change.is_gain, row.count)
        for change in effects.sights
        for row in change.rows
    }


@pytest.fixture
def kudi(world: World) -> Lender:
    """With a lead of each branch, a team below the first one, and customers who are somebody's own elsewhere."""
    kudi = world.kudi
    with inside(kudi):
        for key, office in (("lead", kudi.branch), ("other_lead", kudi.other_branch), ("chief", kudi.head)):
            kudi.members[key] = somebody(kudi, office, LEAD)
        kudi.members["overseer"] = somebody(
            kudi, kudi.other_branch, {**dict.fromkeys(LEAD, "organization"), "customers.oversee": "office"}
        )
        team = office_of(kudi, "Recovery", kudi.branch)
        kudi.members["team_lead"] = somebody(kudi, team, LEAD)
        for number in range(3):
            customer = CustomerFactory(organization=kudi.organization, office=team)
            if number == 0:
                dedicate(customer, kudi["other_lead"])
            if number == 1:
                dedicate(customer, kudi["account_manager"])
    return kudi


def all_offices() -> list[Office]:
    """Of the organization that one is inside."""
    return list(Office.objects.all())


def team_of(lender: Lender) -> Office:
    return Office.objects.get(name="Recovery")


class TestMove:
    @pytest.mark.parametrize("exclusive", [True, False])
    def test_does_to_sight_what_was_foretold(self, kudi: Lender, exclusive: bool) -> None:
        kudi.organization.exclusive_assignments = exclusive
        kudi.organization.save()
        with inside(kudi):
            team, before = team_of(kudi), sight(kudi)
            effects = office_effects(
                kudi.organization, Rearrangement(all_offices(), parents={team.pk: kudi.other_branch.pk})
            )
            move_office(actor=kudi["admin"], office=team, parent=kudi.other_branch, version=1)
            assert foretold(effects) == measured(kudi, before)
            assert (kudi["other_lead"].pk, "customers.find", True, 2) in foretold(effects)
            assert (kudi["lead"].pk, "customers.find", False, 3) in foretold(effects)
            assert kudi["chief"].pk not in {row[0] for row in foretold(effects)}
            assert AuditEvent.objects.latest("pk").after["effect"] == effects.text

    def test_costs_the_same_whatever_moves(self, kudi: Lender, django_assert_num_queries: Any) -> None:
        with inside(kudi):
            team = team_of(kudi)
            for number in range(20):
                below = office_of(kudi, f"Squad {number}", team)
                somebody(kudi, below, LEAD)
                CustomerFactory(organization=kudi.organization, office=below)
            with django_assert_num_queries(4):
                office_effects(kudi.organization, Rearrangement(all_offices(), parents={team.pk: kudi.other_branch.pk}))

    def test_refusals(self, kudi: Lender, world: World) -> None:
        with inside(kudi):
            team = team_of(kudi)
        with inside(kudi), refused(OfficeCycle):
            move_office(actor=kudi["admin"], office=kudi.branch, parent=team, version=1)
        with inside(kudi), refused(StaleVersion):
            move_office(actor=kudi["admin"], office=kudi.branch, parent=kudi.other_branch, version=7)
        for actor in ("compliance", "chief"):
            with inside(kudi), refused((PermissionMissing, NotVisible)):
                move_office(actor=kudi[actor], office=team, parent=kudi.other_branch, version=1)
        with inside(kudi), refused(OfficeNotReached):
            move_office(actor=kudi["admin"], office=team, parent=world.rival.head, version=1)


class TestNobodyGivesAPlaceTheyDoNotHold:
    """A keeper may manage offices everywhere, and sees customers in their own office alone."""

    def keeper(self, lender: Lender, office: Office, **reaches: str) -> Member:
        return somebody(lender, office, {**KEEPER, "customers.find": "office", **reaches})

    def test_not_to_themselves_by_pulling_an_office_below_their_own(self, kudi: Lender) -> None:
        with inside(kudi):
            keeper = self.keeper(kudi, kudi.other_branch)
        with inside(kudi), refused(PlaceNotHeld, match="nobody widens their own reach"):
            move_office(actor=keeper, office=team_of(kudi), parent=kudi.other_branch, version=1)

    def test_not_to_themselves_by_merging_into_or_with_their_own(self, kudi: Lender) -> None:
        with inside(kudi):
            keeper, team = self.keeper(kudi, kudi.other_branch), team_of(kudi)
        for office, into in (
            (kudi.branch, kudi.other_branch),
            (kudi.other_branch, kudi.branch),
            (team, kudi.other_branch),
        ):
            with inside(kudi), refused(PlaceNotHeld):
                merge_office(actor=keeper, office=office, into=into, version=1)

    @pytest.mark.parametrize("pile", ["customers", "members", "offices"])
    def test_not_to_themselves_by_closing_an_office(self, kudi: Lender, pile: str) -> None:
        """Customers of another office into their own, themselves into a greater one, or its teams below their own."""
        with inside(kudi):
            place = kudi.branch if pile == "members" else kudi.other_branch
            keeper = self.keeper(kudi, place)
            targets = dict.fromkeys(("members", "customers", "invitations", "offices"), kudi.head)
            targets[pile] = kudi.head if pile == "members" else kudi.other_branch
        with inside(kudi), refused(PlaceNotHeld):
            deactivate_office(actor=keeper, office=kudi.branch, targets=Targets(**targets), version=1)

    def test_not_to_a_friend(self, kudi: Lender) -> None:
        with inside(kudi):
            stranger = somebody(kudi, kudi.head, KEEPER)
        with inside(kudi), refused(PlaceNotHeld, match="somebody of Kano T1 would reach Recovery"):
            move_office(actor=stranger, office=team_of(kudi), parent=kudi.other_branch, version=1)

    def test_not_to_somebody_who_is_only_invited(self, kudi: Lender) -> None:
        with inside(kudi):
            empty, home = office_of(kudi, "Jos", kudi.head), office_of(kudi, "Home", kudi.head)
            role = RoleFactory(organization=kudi.organization, reaches={"customers.find": "office"})
            invitation_for(kudi, role=role, office=empty)
            keeper = self.keeper(kudi, home)
        with inside(kudi), refused(PlaceNotHeld):
            deactivate_office(actor=keeper, office=empty, targets=Targets(invitations=kudi.other_branch), version=1)

    def test_but_what_they_hold(self, kudi: Lender) -> None:
        """Inside their own area, and everywhere for those who reach the whole organization by the permissions in question."""
        with inside(kudi):
            keeper = self.keeper(kudi, kudi.branch, **{"customers.view": "office", "members.view": "office"})
            below = office_of(kudi, "Squad", kudi.branch)
            assert move_office(actor=keeper, office=below, parent=team_of(kudi), version=1).depth == 3
            empty = office_of(kudi, "Jos", kudi.head)
            deactivate_office(actor=keeper, office=empty, targets=Targets(), version=1)
            wide = somebody(kudi, kudi.other_branch, {**KEEPER, **WIDE})
            team = team_of(kudi)
            assert move_office(actor=wide, office=team, parent=kudi.other_branch, version=1).depth == 2


class TestDeactivate:
    def targets(self, lender: Lender, **others: Office | None) -> Targets:
        return Targets(
            **{**dict.fromkeys(("members", "customers", "invitations", "offices"), lender.other_branch), **others}
        )

    def test_moves_each_pile_and_closes_in_one_step(self, kudi: Lender) -> None:
        with inside(kudi):
            team, before = team_of(kudi), sight(kudi)
            invitation = invitation_for(kudi, role="compliance")
            Office.objects.filter(pk=kudi.branch.pk).update(head=kudi["chief"])
            targets = self.targets(kudi, members=team, offices=kudi.head)
            effects = office_effects(kudi.organization, rearrangement(kudi.branch, all_offices(), targets))
            moved = deactivate_office(actor=kudi["admin"], office=kudi.branch, targets=targets, version=1)
            assert moved.words == "8 active members, 2 customers, 1 invitation and 1 office below it"
            closed = fresh(kudi.branch)
            assert (closed.is_active, closed.head, closed.version) == (False, None, 2)
            assert not piles_of(closed)
            assert fresh(team).path == f"{kudi.head.path}{team.pk}/"
            assert {fresh(kudi[key]).office for key in ("admin", "lead", "account_manager")} == {team}
            assert fresh(kudi["deactivated"]).office == kudi.branch
            assert (fresh(invitation).office, fresh(invitation).version) == (kudi.other_branch, 2)
            own = fresh(kudi.customers["own"])
            assert (own.office, own.version, own.account_manager) == (kudi.other_branch, 2, kudi["account_manager"])
            assert Assignment.objects.filter(customer=own, ended_at=None).count() == 1
            assert foretold(effects) == measured(kudi, before)

    def test_is_in_the_log_as_a_whole_and_one_by_one(self, kudi: Lender) -> None:
        with inside(kudi):
            deactivate_office(actor=kudi["admin"], office=kudi.branch, targets=self.targets(kudi), version=1)
            event = AuditEvent.objects.get(verb="office.deactivated")
            assert event.before == {"status": "Active"}
            assert event.after["members"] == "8 to Kano T1"
            assert event.after["customers"] == "2 to Kano T1"
            assert "no longer visible" in event.after["effect"] or "become visible" in event.after["effect"]
            lines = AuditEvent.objects.filter(verb="customer.changed").order_by("pk")
            assert [(line.target_id, line.target_label) for line in lines] == [
                (kudi.customers[key].pk, kudi.customers[key].number) for key in ("free", "own")
            ]
            for line in lines:
                assert (line.before, line.after) == ({"office": "Ikeja T1"}, {"office": "Kano T1"})
                assert (line.actor_label, line.reason) == (kudi["admin"].label, "Ikeja T1 was closed")
            assert verbs().count("member.office_changed") == 8
            assert verbs().count("office.moved") == 1

    def test_again_changes_nothing(self, kudi: Lender) -> None:
        with inside(kudi):
            for _ in range(2):
                deactivate_office(actor=kudi["admin"], office=kudi.branch, targets=self.targets(kudi), version=1)
            assert verbs().count("office.deactivated") == 1

    @pytest.mark.parametrize("pile", ["members", "customers", "invitations", "offices"])
    def test_no_pile_is_left_behind(self, kudi: Lender, world: World, pile: str) -> None:
        with inside(kudi):
            invitation_for(kudi)
            closed = office_of(kudi, "Closed", kudi.head, is_active=False)
        for target, error in (
            (None, OfficeInUse),
            (kudi.branch, OfficeInUse),
            (closed, OfficeNotReached),
            (world.rival.branch, OfficeNotReached),
        ):
            with inside(kudi), refused(error) as caught:
                targets = self.targets(kudi, **{pile: target})
                deactivate_office(actor=kudi["admin"], office=kudi.branch, targets=targets, version=1)
            assert caught.value.field == pile
        with inside(kudi):
            assert fresh(kudi.customers["free"]).office == kudi.branch

    def test_offices_below_keep_out_of_circles_and_off_the_ground(self, kudi: Lender) -> None:
        with inside(kudi):
            team = team_of(kudi)
            lowest = kudi.other_branch
            for level in range(7):
                lowest = office_of(kudi, f"Level {level}", lowest)
            office_of(kudi, "Below", team)
        with inside(kudi), refused(OfficeCycle):
            deactivate_office(
                actor=kudi["admin"], office=kudi.branch, targets=self.targets(kudi, offices=team), version=1
            )
        with inside(kudi), refused(OfficeTooDeep):
            deactivate_office(
                actor=kudi["admin"], office=kudi.branch, targets=self.targets(kudi, offices=lowest), version=1
            )

    def test_the_top_of_the_tree_stays(self, kudi: Lender) -> None:
        with inside(kudi), refused(LastOffice):
            deactivate_office(actor=kudi["admin"], office=kudi.head, targets=self.targets(kudi), version=1)
        with inside(kudi):
            second = office_of(kudi, "Ghana", None, type="head_office")
            targets = Targets(second, second, second, second)
            deactivate_office(actor=kudi["admin"], office=kudi.head, targets=targets, version=1)
            assert fresh(kudi.branch).path == f"{second.path}{kudi.branch.pk}/"
            assert fresh(team_of(kudi)).depth == 2

    def test_refusals(self, kudi: Lender, world: World) -> None:
        with inside(kudi), refused(StaleVersion):
            deactivate_office(actor=kudi["admin"], office=kudi.branch, targets=self.targets(kudi), version=7)
        for actor in ("compliance", "lead", "account_manager"):
            with inside(kudi), refused((PermissionMissing, NotVisible)):
                deactivate_office(actor=kudi[actor], office=kudi.branch, targets=self.targets(kudi), version=1)
        with inside(world.rival):
            foreign = fresh(world.rival.branch)
        with inside(kudi), refused(NotVisible):
            deactivate_office(actor=kudi["admin"], office=foreign, targets=self.targets(kudi), version=1)


class TestMerge:
    def test_everything_goes_into_the_other(self, kudi: Lender) -> None:
        with inside(kudi):
            team, before = team_of(kudi), sight(kudi)
            Office.objects.filter(pk=kudi.branch.pk).update(description="Old market")
            invitation = invitation_for(kudi)
            change = rearrangement(kudi.branch, all_offices(), Targets.all_into(kudi.other_branch))
            effects = office_effects(kudi.organization, change)
            moved = merge_office(actor=kudi["admin"], office=kudi.branch, into=kudi.other_branch, version=1)
            assert (moved.members, moved.customers, moved.invitations, moved.offices) == (8, 2, 1, 1)
            gone = fresh(kudi.branch)
            assert (gone.is_active, gone.description) == (False, "Merged into Kano T1. Old market")
            assert fresh(kudi["deactivated"]).office == kudi.other_branch
            assert fresh(invitation).office == kudi.other_branch
            assert fresh(team).path == f"{kudi.other_branch.path}{team.pk}/"
            assert foretold(effects) == measured(kudi, before)
            event = AuditEvent.objects.get(verb="office.merged")
            assert event.after["into"] == "Kano T1"
            assert event.after["moved"] == "8 active members, 2 customers, 1 invitation and 1 office below it"

    def test_up_into_the_office_it_belongs_to(self, kudi: Lender) -> None:
        with inside(kudi):
            before, team = sight(kudi), team_of(kudi)
            effects = office_effects(
                kudi.organization, rearrangement(team, all_offices(), Targets.all_into(kudi.branch))
            )
            merge_office(actor=kudi["admin"], office=team, into=kudi.branch, version=1)
            assert foretold(effects) == measured(kudi, before)
            assert (kudi["team_lead"].pk, "customers.find", True, 2) in foretold(effects)

    def test_refusals(self, kudi: Lender, world: World) -> None:
        with inside(kudi):
            team = team_of(kudi)
            closed = office_of(kudi, "Closed", kudi.head, is_active=False)
        for office, into, error in (
            (kudi.branch, kudi.branch, OfficeNotReached),
            (kudi.branch, closed, OfficeNotReached),
            (kudi.branch, world.rival.branch, OfficeNotReached),
            (kudi.branch, team, OfficeCycle),
            (kudi.head, kudi.branch, OfficeCycle),
            (closed, kudi.branch, OfficeClosed),
        ):
            with inside(kudi), refused(error):
                merge_office(actor=kudi["admin"], office=office, into=into, version=1)
        with inside(kudi), refused(StaleVersion):
            merge_office(actor=kudi["admin"], office=kudi.branch, into=kudi.other_branch, version=3)
        with inside(kudi), refused(PermissionMissing):
            merge_office(actor=kudi["compliance"], office=kudi.branch, into=kudi.other_branch, version=1)
