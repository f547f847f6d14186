"""Custom roles at the service level: what each verb does, writes and refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from audit.models import AuditEvent
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from teams import services
from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability, Reach
from teams.errors import (
    BuiltInRoleFixed,
    HoldsCustomers,
    NameTaken,
    OwnRole,
    ReachAboveActor,
    ReachNotPossible,
    RoleAboveActor,
    RoleInUse,
    RoleNotGivable,
)
from teams.models import Member, Role
from teams.policy import find_role, givable_roles
from tests.factories import RoleFactory
from tests.teams.support import extra_member, fresh, inside, invitation_for, mails, refused, verbs
from tests.world import Lender, World

DESK = {Capability.CUSTOMERS_FIND: Reach.ORGANIZATION, Capability.CUSTOMERS_VIEW: Reach.OWN}


def role_of(lender: Lender, reaches: Mapping[str, str] = DESK, name: str = "Front desk") -> Role:
    row: Role = RoleFactory(organization=lender.organization, name=name, reaches=reaches)
    return row


def holder_of(lender: Lender, reaches: Mapping[str, str]) -> Member:
    return extra_member(lender, "", role=role_of(lender, reaches, name=f"Role of a holder {len(reaches)}"))


def change(lender: Lender, role: Role, *, by: Member | None = None, **facts: Any) -> Role:
    arguments = {"name": role.name, "description": "", "reaches": fresh(role).reaches, "version": fresh(role).version}
    return services.change_role_permissions(actor=by or lender["admin"], role=role, **{**arguments, **facts})


class TestCreate:
    def test_makes_a_role_with_its_line_in_the_log(self, world: World) -> None:
        with inside(world.kudi):
            role = services.create_role(
                actor=world.kudi["admin"],
                name="Front desk",
                description="Answers the phone",
                reaches={**DESK, Capability.AUDIT_VIEW: Reach.NONE},
            )
            assert fresh(role).reaches == DESK
            assert role in givable_roles(world.kudi["admin"])
            line = AuditEvent.objects.get()
            assert (line.verb, line.target_label) == ("role.created", "Front desk")
            assert line.after == {
                "name": "Front desk",
                "description": "Answers the phone",
                "Find customers and see their card": "Organization",
                "Open full profiles": "Own",
            }

    def test_needs_the_permission(self, world: World) -> None:
        with inside(world.kudi), refused(PermissionMissing, "Add and change roles"):
            services.create_role(actor=world.kudi["compliance"], name="X", description="", reaches={})

    @pytest.mark.parametrize("name", ["admin", "FRONT DESK"])
    def test_names_are_unique_whatever_their_case(self, world: World, name: str) -> None:
        with inside(world.kudi):
            role_of(world.kudi)
            with refused(NameTaken):
                services.create_role(actor=world.kudi["admin"], name=name, description="", reaches={})

    def test_two_lenders_may_use_the_same_name(self, world: World) -> None:
        for lender in (world.kudi, world.rival):
            with inside(lender):
                services.create_role(actor=lender["admin"], name="Front desk", description="", reaches=DESK)

    @pytest.mark.parametrize(
        ("capability", "reach"),
        [
            (Capability.AUDIT_VIEW, Reach.OWN),
            (Capability.CUSTOMERS_CREATE, Reach.OWN),
            (Capability.MEMBERS_VIEW, Reach.OWN),
            (Capability.ORGANIZATION_SECURITY, Reach.OFFICE),
        ],
    )
    def test_a_reach_must_make_sense(self, world: World, capability: Capability, reach: Reach) -> None:
        with inside(world.kudi), refused(ReachNotPossible) as caught:
            services.create_role(actor=world.kudi["super_admin"], name="X", description="", reaches={capability: reach})
        assert caught.value.field == capability.field_name

    def test_nobody_gives_what_they_do_not_hold(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            clerk = holder_of(kudi, {"roles.manage": "organization", "customers.view": "office"})
            for reaches in (
                {Capability.CUSTOMERS_VIEW: Reach.ORGANIZATION},
                {Capability.CUSTOMERS_FIND: Reach.OWN},
                {Capability.AUDIT_VIEW: Reach.ORGANIZATION},
            ):
                with refused(ReachAboveActor):
                    services.create_role(actor=clerk, name="X", description="", reaches=reaches)
            narrow = {Capability.CUSTOMERS_VIEW: Reach.OWN}
            assert services.create_role(actor=clerk, name="X", description="", reaches=narrow).reaches == narrow
            with refused(ReachAboveActor):
                services.create_role(
                    actor=kudi["admin"],
                    name="Y",
                    description="",
                    reaches={Capability.ORGANIZATION_SECURITY: Reach.ORGANIZATION},
                )


class TestClone:
    @pytest.mark.parametrize("built_in", BuiltInRole)
    def test_allows_exactly_the_same(self, world: World, built_in: BuiltInRole) -> None:
        kudi = world.kudi
        with inside(kudi):
            source = kudi.roles[built_in]
            clone = services.clone_role(actor=kudi["super_admin"], role=source, name="Clone")
            assert (fresh(clone).reaches, clone.built_in) == (fresh(source).reaches, "")
            line = AuditEvent.objects.get()
            assert line.after["clone_of"] == source.name

    def test_of_a_role_that_allows_more_is_refused(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi), refused(ReachAboveActor):
            services.clone_role(actor=kudi["admin"], role=kudi.roles["super_admin"], name="Clone")

    def test_a_clone_of_super_admin_is_none(self, world: World) -> None:
        """Holding everything is not being the Super Admin whom the organization must keep."""
        kudi = world.kudi
        with inside(kudi):
            clone = services.clone_role(actor=kudi["super_admin"], role=kudi.roles["super_admin"], name="Deputy")
            assert not clone.is_super_admin

    def test_of_another_lender_does_not_exist(self, world: World) -> None:
        with inside(world.rival):
            foreign = role_of(world.rival)
        with inside(world.kudi), refused(NotVisible):
            services.clone_role(actor=world.kudi["super_admin"], role=foreign, name="Clone")


class TestChange:
    def test_is_in_force_and_in_the_log(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            member = extra_member(kudi, "", role=role)
            wanted = {Capability.CUSTOMERS_FIND: Reach.OFFICE, Capability.AUDIT_VIEW: Reach.ORGANIZATION}
            changed = change(kudi, role, name="Desk", reaches=wanted, effect="1 person gains “Read the audit log”.")
            assert (changed.name, changed.reaches, changed.version) == ("Desk", wanted, 2)
            assert fresh(member).may(Capability.AUDIT_VIEW)
            line = AuditEvent.objects.get()
            assert line.before == {
                "Find customers and see their card": "Organization",
                "Open full profiles": "Own",
                "Read the audit log": "No",
                "name": "Front desk",
            }
            assert line.after == {
                "Find customers and see their card": "Office",
                "Open full profiles": "None",
                "Read the audit log": "Yes",
                "name": "Desk",
                "effect": "1 person gains “Read the audit log”.",
            }

    def test_the_same_again_changes_nothing(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            change(kudi, role, version=7)
            assert (verbs(), fresh(role).version) == ([], 1)

    def test_of_an_older_state_is_refused(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            change(kudi, role, reaches={}, version=1)
            with refused(StaleVersion, "Somebody changed the role Front desk"):
                change(kudi, role, reaches=DESK, version=1)

    @pytest.mark.parametrize("built_in", BuiltInRole)
    def test_built_in_roles_stay_as_they_are(self, world: World, built_in: BuiltInRole) -> None:
        kudi = world.kudi
        with inside(kudi):
            with refused(BuiltInRoleFixed):
                change(kudi, kudi.roles[built_in], by=kudi["super_admin"], reaches={})
            with refused(BuiltInRoleFixed):
                services.delete_role(
                    actor=kudi["super_admin"], role=kudi.roles[built_in], replacement=kudi.roles["super_admin"]
                )

    def test_not_of_ones_own_role(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            member = holder_of(kudi, {"roles.manage": "organization", "roles.view": "organization"})
            with refused(OwnRole):
                change(kudi, member.role, by=member, reaches={})
            empty = role_of(kudi, {})
            with refused(OwnRole):
                services.delete_role(actor=member, role=member.role, replacement=empty)

    def test_not_of_a_role_that_allows_more(self, world: World) -> None:
        """Also not to make it smaller, and not when it only allows something else."""
        kudi = world.kudi
        with inside(kudi):
            clerk = holder_of(kudi, {"roles.manage": "organization"})
            role = role_of(kudi)
            with refused(RoleAboveActor):
                change(kudi, role, by=clerk, reaches={})
            with refused(RoleAboveActor):
                services.delete_role(actor=clerk, role=role)

    def test_nobody_adds_what_they_do_not_hold(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            clerk = holder_of(kudi, {"roles.manage": "organization"})
            empty = role_of(kudi, {})
            with refused(ReachAboveActor):
                change(kudi, empty, by=clerk, reaches={Capability.EMAILS_VIEW: Reach.ORGANIZATION})
            assert change(kudi, empty, by=clerk, reaches={Capability.ROLES_MANAGE: Reach.ORGANIZATION}).version == 2

    def test_people_with_customers_keep_the_right_to_open_them(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            Member.objects.filter(pk__in=[kudi["account_manager"].pk, kudi["other_manager"].pk]).update(role=role)
            with refused(HoldsCustomers, "2 members with this role are the account managers of 2 customers") as caught:
                change(kudi, role, reaches={Capability.CUSTOMERS_FIND: Reach.OWN})
            assert caught.value.field == "customers_view"
            kudi.customers["distant"].account_manager = None
            kudi.customers["distant"].save()
            with refused(HoldsCustomers, "1 member with this role is the account manager of 1 customer, and"):
                change(kudi, role, reaches={})
            assert change(kudi, role, reaches={Capability.CUSTOMERS_VIEW: Reach.OFFICE}).version == 2


class TestDelete:
    def test_of_a_role_that_nobody_has(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            services.delete_role(actor=kudi["admin"], role=role)
            assert verbs() == ["role.deleted"]
            assert role not in givable_roles(kudi["super_admin"])
            assert fresh(role).reaches == {}
            with refused(NotVisible):
                services.delete_role(actor=kudi["admin"], role=role)
            with pytest.raises(NotVisible):
                find_role(kudi["admin"], role.pk)
            services.create_role(actor=kudi["admin"], name=role.name, description="", reaches={})

    def test_moves_everybody_to_the_replacement(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            here = extra_member(kudi, "", role=role)
            gone = extra_member(kudi, "", role=role, status=Member.Status.DEACTIVATED)
            pending = invitation_for(kudi, role=role)
            past = invitation_for(kudi, email="x@example.com", role=role, accepted_at=kudi["admin"].joined_at)
            services.delete_role(
                actor=kudi["admin"], role=role, replacement=kudi.roles["customer_support"], effect="Nothing else."
            )
            for row in (here, gone, pending):
                assert fresh(row).role == kudi.roles["customer_support"]
            assert fresh(past).role.name == "Front desk"
            assert [fresh(member).version for member in (here, gone)] == [2, 2]
            assert sorted(verbs()) == ["member.role_changed", "member.role_changed", "role.deleted"]
            assert [mail.recipient for mail in mails("teams/role_changed")] == [here.user.email]
            line = AuditEvent.objects.get(verb="role.deleted")
            assert line.before["Open full profiles"] == "Own"
            assert line.after == {
                "replacement": "Customer Support",
                "members": [here.name, gone.name],
                "invitations": [str(pending)],
                "effect": "Nothing else.",
            }

    def test_of_a_role_in_use_asks_for_a_replacement(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            invitation_for(kudi, role=role)
            for replacement in (None, role):
                with refused(RoleInUse, "Front desk is in use"):
                    services.delete_role(actor=kudi["admin"], role=role, replacement=replacement)

    def test_the_replacement_must_be_the_actors_to_give(self, world: World) -> None:
        kudi = world.kudi
        with inside(world.rival):
            foreign = role_of(world.rival)
        with inside(kudi):
            role = role_of(kudi)
            extra_member(kudi, "", role=role)
            for replacement in (kudi.roles["super_admin"], foreign):
                with refused(RoleNotGivable) as caught:
                    services.delete_role(actor=kudi["admin"], role=role, replacement=replacement)
                assert caught.value.field == "replacement"

    def test_people_are_moved_by_those_who_may_change_their_role(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role, empty = role_of(kudi, {}), role_of(kudi, {}, name="Empty")
            extra_member(kudi, "", role=role, office=kudi.other_branch)
            clerk = holder_of(kudi, {"roles.manage": "organization"})
            with refused(PermissionMissing, "Change role and office"):
                services.delete_role(actor=clerk, role=role, replacement=empty)
            lead = holder_of(kudi, {"roles.manage": "organization", "members.manage": "office"})
            with refused(PermissionMissing, "does not reach"):
                services.delete_role(actor=lead, role=role, replacement=empty)

    def test_people_with_customers_need_a_role_that_opens_them(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            role = role_of(kudi)
            Member.objects.filter(pk=kudi["account_manager"].pk).update(role=role)
            with refused(HoldsCustomers, "does not open customers") as caught:
                services.delete_role(actor=kudi["admin"], role=role, replacement=kudi.roles["no_users_unit"])
            assert caught.value.field == "replacement"
