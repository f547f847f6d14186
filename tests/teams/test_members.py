"""Role, office and status of members, with every refusal."""

from __future__ import annotations

import pytest

from accounts.models import User
from lendconsole.errors import NotVisible, PermissionMissing, StaleVersion
from teams import services
from teams.capabilities import Capability, Reach
from teams.errors import (
    HoldsCustomers,
    LastSuperAdmin,
    MemberAboveActor,
    OfficeClosed,
    OfficeNotReached,
    OwnMembership,
    RoleNotGivable,
)
from teams.models import Member, Office
from tests.factories import RoleFactory
from tests.teams.support import extra_member, fresh, inside, invitation_for, mails, refused, verbs
from tests.world import Lender, World


def change(lender: Lender, actor: str, target: Member, **changes: object) -> Member:
    target = fresh(target)
    facts = {"role": target.role, "office": target.office, "version": target.version, **changes}
    return services.change_member(actor=lender[actor], member=target, **facts)


def test_a_new_role_is_in_force_mailed_and_audited(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        support = kudi["customer_support"]
        changed = change(kudi, "admin", support, role=kudi.roles["compliance"])
        assert (changed.role.name, changed.version) == ("Compliance", 2)
        assert fresh(support).may(Capability.AUDIT_VIEW)
        assert verbs() == ["member.role_changed"]
        [mail] = mails("teams/role_changed")
        assert mail.recipient == support.user.email
        assert mail.subject == "Your role at Kudi T1-Bank is now Compliance"


def test_a_new_office_is_audited_and_not_mailed(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        change(kudi, "admin", kudi["account_manager"], office=kudi.other_branch)
        assert fresh(kudi["account_manager"]).office == kudi.other_branch
        assert verbs() == ["member.office_changed"]
        assert not mails("teams/role_changed")


def test_the_same_again_changes_nothing(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        assert change(kudi, "admin", kudi["customer_support"], version=99).version == 1
        assert verbs() == []


@pytest.mark.parametrize("actor", ["account_manager", "loan_officer", "customer_support", "deactivated"])
def test_those_without_the_permission_see_nobody(world: World, actor: str) -> None:
    kudi = world.kudi
    with inside(kudi), refused((NotVisible, PermissionMissing)):
        change(kudi, actor, kudi["compliance"], role=kudi.roles["customer_support"])


@pytest.mark.parametrize("actor", ["compliance", "no_users_unit"])
def test_those_who_see_but_may_not_are_told_who_can_help(world: World, actor: str) -> None:
    kudi = world.kudi
    with inside(kudi), refused(PermissionMissing, match="“Change role and office”. Ask Super"):
        change(kudi, actor, kudi["customer_support"], role=kudi.roles["loan_officer"])


def test_nobody_changes_themselves(world: World) -> None:
    kudi = world.kudi
    for actor in ("super_admin", "admin"):
        with inside(kudi), refused(OwnMembership):
            change(kudi, actor, kudi[actor], role=kudi.roles["compliance"])
        with inside(kudi), refused(OwnMembership):
            services.deactivate_member(actor=kudi[actor], member=kudi[actor])


def test_nobody_touches_a_member_above_them(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(MemberAboveActor, match="Ask a Super Admin"):
        change(kudi, "admin", kudi["super_admin"], role=kudi.roles["compliance"])
    with inside(kudi), refused(MemberAboveActor):
        services.deactivate_member(actor=kudi["admin"], member=kudi["super_admin"])


def test_nobody_gives_more_than_they_hold(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(RoleNotGivable) as caught:
        change(kudi, "admin", kudi["compliance"], role=kudi.roles["super_admin"])
    assert caught.value.field == "role"


def test_roles_offices_and_members_of_another_lender_do_not_exist(world: World) -> None:
    kudi, rival = world.kudi, world.rival
    target = kudi["compliance"]
    with inside(kudi), refused(RoleNotGivable):
        change(kudi, "super_admin", target, role=rival.roles["customer_support"])
    with inside(kudi), refused(OfficeNotReached):
        change(kudi, "super_admin", target, office=rival.branch)
    with inside(kudi), refused(NotVisible):
        services.change_member(
            actor=kudi["super_admin"],
            member=rival["compliance"],
            role=kudi.roles["admin"],
            office=kudi.branch,
            version=1,
        )


def test_a_closed_office_takes_nobody(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        Office.objects.filter(pk=kudi.other_branch.pk).update(is_active=False)
    with inside(kudi), refused(OfficeNotReached):
        change(kudi, "admin", kudi["compliance"], office=kudi.other_branch)


def test_an_older_version_does_not_overwrite(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        change(kudi, "admin", kudi["compliance"], office=kudi.head)
    with inside(kudi), refused(StaleVersion, match="now Compliance, Head Office T1"):
        change(kudi, "super_admin", kudi["compliance"], office=kudi.other_branch, version=1)


def test_who_holds_customers_keeps_a_role_that_opens_them(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(HoldsCustomers, match="account manager of 1 customer, and the role Human") as caught:
        change(kudi, "super_admin", kudi["account_manager"], role=kudi.roles["no_users_unit"])
    assert caught.value.field == "role"
    with inside(kudi):
        change(kudi, "super_admin", kudi["account_manager"], role=kudi.roles["loan_officer"])
        change(kudi, "super_admin", kudi["customer_support"], role=kudi.roles["no_users_unit"])


def test_deactivation_ends_access_at_once(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("customer_support")
    with inside(kudi):
        gone = services.deactivate_member(actor=kudi["admin"], member=kudi["customer_support"])
        assert gone.deactivated_at is not None
        services.deactivate_member(actor=kudi["admin"], member=kudi["customer_support"])
        assert verbs() == ["member.deactivated"]
        assert [mail.recipient for mail in mails("teams/deactivated")] == [gone.user.email]
    assert client.get(kudi.url()).status_code == 404


def test_who_holds_customers_is_not_deactivated(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(HoldsCustomers, match="1 customer"):
        services.deactivate_member(actor=kudi["admin"], member=kudi["account_manager"])


def test_reactivation_brings_the_same_place_back_and_ends_open_invitations(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        member = extra_member(kudi, "customer_support", status="deactivated")
        invitation = invitation_for(kudi, email=member.user.email)
        back = services.reactivate_member(actor=kudi["admin"], member=member)
        assert (back.status, back.role, back.office) == ("active", kudi.roles["customer_support"], kudi.branch)
        assert fresh(invitation).revoked_at is not None
        services.reactivate_member(actor=kudi["admin"], member=member)
        assert verbs() == ["member.reactivated"]


def test_nobody_comes_back_to_a_closed_office(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        closed = Office.objects.get(pk=kudi.other_branch.pk)
        member = extra_member(kudi, "customer_support", status="deactivated", office=closed)
        Office.objects.filter(pk=closed.pk).update(is_active=False)
    with inside(kudi), refused(OfficeClosed, match="not active"):
        services.reactivate_member(actor=kudi["admin"], member=member)


def test_office_reach_manages_the_own_office_only(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        role = RoleFactory(
            organization=kudi.organization,
            name="Branch lead",
            reaches={Capability.MEMBERS_VIEW: Reach.ORGANIZATION, Capability.MEMBERS_MANAGE: Reach.OFFICE},
        )
        kudi.members["lead"] = extra_member(kudi, "", role=role)
        simple = RoleFactory(organization=kudi.organization, name="Nothing")
        far = extra_member(kudi, "", role=simple, office=kudi.other_branch)
        near = extra_member(kudi, "", role=simple)
        change(kudi, "lead", near, role=role)
    with inside(kudi), refused(PermissionMissing, match="does not reach"):
        change(kudi, "lead", far, role=role)
    with inside(kudi), refused(OfficeNotReached):
        change(kudi, "lead", near, office=kudi.other_branch)


class TestLastSuperAdmin:
    """With a custom role as wide as Super Admin somebody else could take the last one away; the guard refuses."""

    @pytest.fixture
    def twin(self, world: World) -> Lender:
        kudi = world.kudi
        with inside(kudi):
            role = RoleFactory(
                organization=kudi.organization, reaches=dict.fromkeys(Capability, Reach.ORGANIZATION.value)
            )
            kudi.members["twin"] = extra_member(kudi, "", role=role)
        return kudi

    def test_is_not_given_another_role(self, twin: Lender) -> None:
        with inside(twin), refused(LastSuperAdmin, match="last active Super Admin"):
            change(twin, "twin", twin["super_admin"], role=twin.roles["admin"])

    def test_is_not_deactivated(self, twin: Lender) -> None:
        with inside(twin), refused(LastSuperAdmin):
            services.deactivate_member(actor=twin["twin"], member=twin["super_admin"])

    def test_is_not_removed_and_does_not_leave(self, twin: Lender) -> None:
        with inside(twin), refused(LastSuperAdmin):
            services.remove_member(actor=twin["twin"], member=twin["super_admin"])
        with inside(twin), refused(LastSuperAdmin):
            services.leave_organization(actor=twin["super_admin"])

    def test_moves_to_another_office(self, twin: Lender) -> None:
        with inside(twin):
            change(twin, "twin", twin["super_admin"], office=twin.head)

    def test_second_one_who_cannot_sign_in_does_not_count(self, twin: Lender) -> None:
        with inside(twin):
            second = extra_member(twin, "super_admin")
            User.objects.filter(pk=second.user_id).update(is_active=False)
        with inside(twin), refused(LastSuperAdmin):
            services.deactivate_member(actor=twin["twin"], member=twin["super_admin"])

    def test_one_of_two_goes(self, twin: Lender) -> None:
        with inside(twin):
            extra_member(twin, "super_admin")
            services.deactivate_member(actor=twin["twin"], member=twin["super_admin"])
