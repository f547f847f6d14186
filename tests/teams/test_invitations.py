"""Inviting, sending again, revoking: rules 3 and 4, with every refusal."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from lendconsole.errors import NotVisible, PermissionMissing
from notifications.letters import Undeliverable, find_letter
from notifications.models import OutgoingEmail
from teams import services
from teams.capabilities import Capability, Reach
from teams.errors import (
    AlreadyInvited,
    AlreadyMember,
    InvitationClosed,
    MemberAboveActor,
    OfficeNotReached,
    RoleNotGivable,
    TooManyInvitations,
)
from teams.invitation_links import make_token
from teams.models import Invitation, Office
from tests.factories import RoleFactory
from tests.teams.support import extra_member, fresh, inside, invitation_for, mails, refused, verbs
from tests.world import Lender, World


def invite(lender: Lender, actor: str = "admin", **changes: object) -> Invitation:
    facts = {
        "email": "ngozi@example.com",
        "first_name": "Ngozi",
        "last_name": "Eze",
        "role": lender.roles["account_manager"],
        "office": lender.branch,
        **changes,
    }
    return services.invite_member(actor=lender[actor], **facts)


def test_an_invitation_is_written_mailed_and_audited(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invite(kudi, email=" Ngozi@Example.com ")
        assert invitation.email == "ngozi@example.com"
        assert invitation.expires_at - timezone.now() > timedelta(days=6, hours=23)
        assert verbs() == ["member.invited"]
        [mail] = mails("teams/invitation")
        assert (mail.recipient, mail.subject) == ("ngozi@example.com", "Admin T1-Staff invites you to Kudi T1-Bank")


def test_the_outbox_holds_no_usable_link(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invite(kudi)
        [mail] = mails("teams/invitation")
        for stored in (mail.payload, mail.subject, mail.sealed_body):
            assert invitation.nonce not in str(stored)
            assert make_token(invitation) not in str(stored)
        letter = find_letter("teams/invitation").build(mail)
        assert f"/invitation/{kudi.organization.slug}/" in letter["link"]
        assert "Africa/Lagos time" in letter["expires"]


@pytest.mark.parametrize("actor", ["compliance", "account_manager", "no_users_unit", "deactivated"])
def test_without_the_permission_nobody_invites(world: World, actor: str) -> None:
    with inside(world.kudi), refused(PermissionMissing):
        invite(world.kudi, actor)


def test_nobody_invites_to_more_than_they_hold(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(RoleNotGivable):
        invite(kudi, role=kudi.roles["super_admin"])
    with inside(kudi), refused(RoleNotGivable):
        invite(kudi, role=world.rival.roles["account_manager"])
    with inside(kudi), refused(OfficeNotReached):
        invite(kudi, office=world.rival.branch)


def test_office_reach_invites_into_the_own_office(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        role = RoleFactory(organization=kudi.organization, reaches={Capability.MEMBERS_INVITE: Reach.OFFICE})
        kudi.members["lead"] = extra_member(kudi, "", role=role)
        own = invite(kudi, "lead", role=role)
        foreign = invitation_for(kudi, office=kudi.other_branch)
    with inside(kudi), refused(OfficeNotReached):
        invite(kudi, "lead", role=role, office=kudi.head)
    with inside(kudi), refused(NotVisible):
        services.revoke_invitation(actor=kudi["lead"], invitation=foreign)
    with inside(kudi):
        assert set(Invitation.objects.visible_to(kudi["lead"])) == {own}


def test_a_member_is_not_invited_again(world: World) -> None:
    kudi = world.kudi
    with inside(kudi), refused(AlreadyMember, match="Compliance") as caught:
        invite(kudi, email=kudi["compliance"].user.email.upper())
    assert caught.value.field == "email"


def test_a_former_member_above_the_inviter_is_not_brought_back(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        above = extra_member(kudi, "super_admin", status="deactivated")
    with inside(kudi), refused(MemberAboveActor):
        invite(kudi, email=above.user.email)


def test_one_address_has_one_open_invitation(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        first = invite(kudi)
    with inside(kudi), refused(AlreadyInvited, match="“Invited”"):
        invite(kudi, email="NGOZI@example.com")
    with inside(kudi):
        Invitation.objects.filter(pk=first.pk).update(expires_at=timezone.now())
        second = invite(kudi, role=kudi.roles["loan_officer"])
        assert fresh(first).revoked_at is not None
        assert second.is_open


def test_other_lenders_do_not_matter(world: World) -> None:
    """Neither a login nor a membership elsewhere makes a difference."""
    kudi, rival = world.kudi, world.rival
    with inside(kudi):
        assert invite(kudi, email=rival["admin"].user.email).is_open
    with inside(rival):
        assert invite(rival, email="ngozi@example.com").is_open


def test_limits(world: World) -> None:
    kudi = world.kudi
    with patch.multiple("teams.services.invitations", PER_INVITER_AND_HOUR=3, PER_RECIPIENT_AND_DAY=2):
        with inside(kudi):
            first = invite(kudi)
            services.resend_invitation(actor=kudi["admin"], invitation=first)
        with inside(kudi), refused(TooManyInvitations, match="24 hours"):
            services.resend_invitation(actor=kudi["super_admin"], invitation=first)
        with inside(kudi):
            invite(kudi, email="third@example.com")
        with inside(kudi), refused(TooManyInvitations, match="last hour"):
            invite(kudi, email="fourth@example.com")
        with inside(kudi):
            invite(kudi, "super_admin", email="fourth@example.com")


def test_sent_again_means_a_new_link_a_new_date_and_a_new_inviter(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invite(kudi)
        nonce = invitation.nonce
        Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(days=1))
        again = services.resend_invitation(actor=kudi["super_admin"], invitation=invitation)
        assert again.nonce != nonce
        assert again.is_open
        assert (again.invited_by, again.times_sent) == (kudi["super_admin"], 2)
        old, new = mails("teams/invitation")
        assert (old.state, new.state) == (OutgoingEmail.State.CANCELED, OutgoingEmail.State.PENDING)
        assert verbs() == ["member.invited", "invitation.resent"]


def test_revoked_is_over(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invite(kudi)
        services.revoke_invitation(actor=kudi["admin"], invitation=invitation)
        services.revoke_invitation(actor=kudi["admin"], invitation=invitation)
        assert verbs() == ["member.invited", "invitation.revoked"]
        [mail] = mails("teams/invitation")
        assert mail.state == OutgoingEmail.State.CANCELED
    with inside(kudi), refused(InvitationClosed):
        services.resend_invitation(actor=kudi["admin"], invitation=invitation)


def test_accepted_is_over(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invitation_for(kudi, accepted_at=timezone.now())
    for service in (services.resend_invitation, services.revoke_invitation):
        with inside(kudi), refused(InvitationClosed):
            service(actor=kudi["admin"], invitation=invitation)


def test_an_invitation_above_the_actor_is_left_alone(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invitation_for(kudi, role="super_admin", by="super_admin")
    with inside(kudi), refused(MemberAboveActor):
        services.revoke_invitation(actor=kudi["admin"], invitation=invitation)
    with inside(kudi), refused(RoleNotGivable):
        services.resend_invitation(actor=kudi["admin"], invitation=invitation)


def test_into_a_closed_office_nothing_is_sent_again(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invitation_for(kudi, office=kudi.other_branch)
        Office.objects.filter(pk=kudi.other_branch.pk).update(is_active=False)
    with inside(kudi), refused(OfficeNotReached):
        services.resend_invitation(actor=kudi["admin"], invitation=invitation)


def test_invitations_of_another_lender_do_not_exist(world: World) -> None:
    with inside(world.rival):
        invitation = invitation_for(world.rival)
    for service in (services.resend_invitation, services.revoke_invitation):
        with inside(world.kudi), refused(NotVisible):
            service(actor=world.kudi["super_admin"], invitation=invitation)


def test_a_letter_that_was_overtaken_is_not_sent(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invite(kudi)
        [mail] = mails("teams/invitation")
        services.revoke_invitation(actor=kudi["admin"], invitation=invitation)
        with pytest.raises(Undeliverable):
            find_letter("teams/invitation").build(mail)
