"""Accepting an invitation: the four outcomes of rule 4, and every way in which a link is worth nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from lendconsole.tenancy import organization_context
from teams import services
from teams.invitation_links import Ticket, make_token, read_token
from teams.models import Invitation, Member, Office, RolePermission
from teams.services.admission import InvitationNotAcceptable, Newcomer, Standing, find_invitation, standing_of
from tests.factories import PASSWORD, UserFactory
from tests.teams.support import extra_member, fresh, inside, invitation_for, refused, verbs
from tests.world import World

NEWCOMER = Newcomer(first_name="Ngozi", last_name="Eze-Obi", password=PASSWORD)
NOBODY = AnonymousUser()


def ticket_of(invitation: Invitation) -> Ticket:
    return Ticket(invitation.pk, invitation.nonce)


def standing(invitation: Invitation, user: User | AnonymousUser = NOBODY) -> Standing:
    ticket = ticket_of(invitation)
    return standing_of(find_invitation(ticket), ticket, user)


def refuse(invitation: Invitation, expected: Standing, user: User | AnonymousUser = NOBODY) -> None:
    assert standing(fresh(invitation), user) == expected
    with refused(InvitationNotAcceptable) as caught:
        services.accept_invitation(ticket=ticket_of(invitation), user=user, newcomer=NEWCOMER)
    assert isinstance(caught.value, InvitationNotAcceptable)
    assert caught.value.standing == expected


def test_a_new_person_gets_a_login_with_a_proven_address(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invitation_for(kudi)
        assert standing(invitation) == Standing.NEW_PERSON
        member = services.accept_invitation(ticket=ticket_of(invitation), user=NOBODY, newcomer=NEWCOMER)
        assert (member.name, member.user.email) == ("Ngozi Eze-Obi", invitation.email)
        assert (member.role, member.office) == (kudi.roles["account_manager"], kudi.branch)
        assert member.user.check_password(PASSWORD)
        assert EmailAddress.objects.get(user=member.user).verified
        accepted = fresh(invitation)
        assert (accepted.accepted_by, accepted.is_open) == (member, False)
        assert verbs() == ["invitation.accepted"]
        assert AuditEvent.objects.get().after["outcome"] == "new person"


def test_an_existing_login_keeps_its_password_and_name(world: World) -> None:
    kudi, user = world.kudi, world.rival["admin"].user
    before = User.objects.values().get(pk=user.pk)
    with inside(kudi):
        invitation = invitation_for(kudi, email=user.email)
        assert standing(invitation, user) == Standing.EXISTING_LOGIN
        member = services.accept_invitation(ticket=ticket_of(invitation), user=user, newcomer=NEWCOMER)
        assert member.user == user
    assert User.objects.values().get(pk=user.pk) == before


def test_a_former_member_comes_back_with_the_new_role_and_office(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        former = extra_member(kudi, "admin", status="deactivated", deactivated_at=timezone.now())
        invitation = invitation_for(kudi, email=former.user.email, office=kudi.other_branch)
        assert standing(invitation, former.user) == Standing.FORMER_MEMBER
        member = services.accept_invitation(ticket=ticket_of(invitation), user=former.user)
        assert member.pk == former.pk
        assert (member.status, member.deactivated_at) == ("active", None)
        assert (member.role, member.office) == (kudi.roles["account_manager"], kudi.other_branch)


def test_a_member_has_nothing_to_accept(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invitation_for(kudi, email=kudi["compliance"].user.email)
        refuse(invitation, Standing.ALREADY_MEMBER, kudi["compliance"].user)


def test_with_an_existing_login_one_has_to_sign_in(world: World) -> None:
    kudi, user = world.kudi, world.rival["admin"].user
    with inside(kudi):
        refuse(invitation_for(kudi, email=user.email), Standing.SIGN_IN)
    assert fresh(user).check_password(PASSWORD)


@pytest.mark.parametrize("email", ["ngozi@example.com", "nqozi@example.com", "ngozı@example.com"])
def test_another_account_cannot_accept(world: World, email: str) -> None:
    """Also one whose address looks the same, and whether or not the invited address has a login."""
    kudi = world.kudi
    other = UserFactory(email=f"x{email}")
    with inside(kudi):
        refuse(invitation_for(kudi, email=email), Standing.OTHER_ACCOUNT, other)


def test_an_address_that_was_never_proven_does_not_count(world: World) -> None:
    kudi, user = world.kudi, UserFactory()
    EmailAddress.objects.filter(user=user).update(verified=False)
    with inside(kudi):
        refuse(invitation_for(kudi, email=user.email), Standing.OTHER_ACCOUNT, user)


def test_it_works_once(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = invitation_for(kudi)
        services.accept_invitation(ticket=ticket_of(invitation), user=NOBODY, newcomer=NEWCOMER)
        refuse(invitation, Standing.USED)


def test_expired_revoked_and_resent_links_are_dead(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        refuse(invitation_for(kudi, expires_at=timezone.now() - timedelta(seconds=1)), Standing.EXPIRED)
        refuse(invitation_for(kudi, revoked_at=timezone.now()), Standing.REVOKED)
        invitation = invitation_for(kudi)
        old = Ticket(invitation.pk, invitation.nonce)
        services.resend_invitation(actor=kudi["admin"], invitation=invitation)
        assert standing_of(find_invitation(old), old, NOBODY) == Standing.REPLACED
        with refused(InvitationNotAcceptable):
            services.accept_invitation(ticket=old, user=NOBODY, newcomer=NEWCOMER)
        renewed = fresh(invitation)
        services.accept_invitation(ticket=ticket_of(renewed), user=NOBODY, newcomer=NEWCOMER)


class TestInviterIsAskedAgain:
    """What the inviter may no longer do, the invitation does not do either."""

    def test_deactivated(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            invitation = invitation_for(kudi)
            Member.objects.filter(pk=kudi["admin"].pk).update(status="deactivated")
            refuse(invitation, Standing.WITHDRAWN)

    def test_role_raised_above_the_inviter(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            invitation = invitation_for(kudi, role="no_users_unit")
            RolePermission.objects.create(
                role=kudi.roles["no_users_unit"], capability="organization.security", reach="organization"
            )
            refuse(invitation, Standing.WITHDRAWN)

    def test_demoted(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            invitation = invitation_for(kudi)
            Member.objects.filter(pk=kudi["admin"].pk).update(role=kudi.roles["account_manager"])
            refuse(invitation, Standing.WITHDRAWN)

    def test_office_closed(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            for invitation in (invitation_for(kudi), invitation_for(kudi, by="", role="super_admin")):
                Office.objects.filter(pk=kudi.branch.pk).update(is_active=False)
                refuse(invitation, Standing.WITHDRAWN)

    def test_sent_again_by_another_admin_it_works(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            invitation = invitation_for(kudi)
            Member.objects.filter(pk=kudi["admin"].pk).update(status="deactivated")
            again = services.resend_invitation(actor=kudi["super_admin"], invitation=invitation)
            assert standing(again) == Standing.NEW_PERSON


def test_the_organization_of_the_address_decides(world: World) -> None:
    with inside(world.rival):
        invitation = invitation_for(world.rival)
    with organization_context(world.kudi.organization.pk):
        assert standing(invitation) == Standing.BROKEN
        with refused(InvitationNotAcceptable):
            services.accept_invitation(ticket=ticket_of(invitation), user=NOBODY, newcomer=NEWCOMER)


def test_tokens_are_bound_to_their_purpose_and_content(world: World) -> None:
    with inside(world.kudi):
        invitation = invitation_for(world.kudi)
    token = make_token(invitation)
    assert read_token(token) == ticket_of(invitation)
    content = {"i": invitation.pk, "n": invitation.nonce}
    bad = [
        "",
        "x",
        token[:-1],
        token + "x",
        token.replace(":", ".", 1),
        signing.dumps(content),
        signing.dumps(content, salt="customers.borrower_link"),
        signing.dumps([1], salt="teams.invitation"),
        signing.dumps({"i": "x", "n": ""}, salt="teams.invitation"),
    ]
    assert [read_token(each) for each in bad] == [None] * len(bad)


def test_the_nonce_is_random_enough(world: World) -> None:
    with inside(world.kudi):
        nonces = {invitation_for(world.kudi).nonce for _ in range(20)}
    assert len(nonces) == 20
    assert {len(nonce) for nonce in nonces} == {32}  # 24 bytes
