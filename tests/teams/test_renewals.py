"""Around the end of an invitation: the reminder before it, and asking for a new link after it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from notifications.letters import Undeliverable, find_letter
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams import services
from teams.emails import ASKED_FOR, REMINDER
from teams.invitation_links import Ticket, make_token, read_token
from teams.models import Invitation, Member
from teams.services.admission import InvitationNotAcceptable, Standing
from teams.tasks import remind_invited_people
from tests.pages import text
from tests.teams.support import fresh, inside, invitation_for, mails, refused, rows, verbs
from tests.world import Lender, World


@pytest.fixture
def kudi(world: World) -> Lender:
    return world.kudi


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def expired(lender: Lender, **facts: Any) -> Invitation:
    with inside(lender):
        return invitation_for(lender, expires_at=ago(days=1), **facts)


def ticket_of(invitation: Invitation) -> Ticket:
    return Ticket(invitation.pk, invitation.nonce)


class TestAsking:
    def test_is_noted_once_and_mailed_once(self, kudi: Lender) -> None:
        invitation = expired(kudi)
        with inside(kudi):
            first = services.ask_for_invitation(ticket=ticket_of(invitation)).asked_at
            again = services.ask_for_invitation(ticket=ticket_of(invitation)).asked_at
            assert first == again == fresh(invitation).asked_at
            assert verbs() == ["invitation.asked_for"]
            [mail] = mails(ASKED_FOR)
            assert mail.recipient == kudi["admin"].user.email
            body = render_body(mail, kudi.organization)
            assert "status=invited&state=asked" in body.text
            assert invitation.nonce not in body.text + body.html

    def test_a_new_link_settles_it(self, kudi: Lender) -> None:
        invitation = expired(kudi)
        with inside(kudi):
            services.ask_for_invitation(ticket=ticket_of(invitation))
            services.resend_invitation(actor=kudi["admin"], invitation=invitation)
            assert fresh(invitation).asked_at is None
            [mail] = mails(ASKED_FOR)
            assert mail.state == OutgoingEmail.State.CANCELED
            with pytest.raises(Undeliverable):
                find_letter(ASKED_FOR).build(OutgoingEmail(payload={"invitation": 1, "times_sent": 1, "member": 1}))

    def test_reaches_nobody_when_the_inviter_has_left_and_still_shows(self, kudi: Lender) -> None:
        invitation = expired(kudi)
        with inside(kudi):
            Member.objects.filter(pk=kudi["admin"].pk).update(status="deactivated")
            services.ask_for_invitation(ticket=ticket_of(invitation))
            assert not mails(ASKED_FOR)
        page = text(kudi.client("super_admin").get(kudi.url("settings/members/?status=invited&state=asked")))
        assert "Asked for a new link" in page
        assert invitation.name in page

    @pytest.mark.parametrize(
        ("facts", "standing"),
        [
            ({"expires_at": timezone.now() + timedelta(days=1)}, Standing.NEW_PERSON),
            ({"revoked_at": timezone.now()}, Standing.REVOKED),
            ({"accepted_at": timezone.now()}, Standing.USED),
        ],
    )
    def test_only_an_expired_link_asks(self, kudi: Lender, facts: dict[str, Any], standing: Standing) -> None:
        with inside(kudi):
            invitation = invitation_for(kudi, **facts)
        with inside(kudi), refused(InvitationNotAcceptable) as caught:
            services.ask_for_invitation(ticket=ticket_of(invitation))
        assert caught.value.standing == standing

    def test_an_older_link_or_one_of_another_lender_asks_nothing(self, kudi: Lender, world: World) -> None:
        invitation, foreign = expired(kudi), expired(world.rival)
        for ticket in (Ticket(invitation.pk, "older"), ticket_of(foreign), Ticket(2**60, "none")):
            with inside(kudi), refused(InvitationNotAcceptable):
                services.ask_for_invitation(ticket=ticket)

    def test_from_the_page_of_the_expired_link(self, kudi: Lender) -> None:
        invitation, client = expired(kudi), Client()
        page = client.get(f"/invitation/kudi/{make_token(invitation)}/", follow=True)
        assert page.status_code == 410
        assert "Ask for a new one" in text(page)
        with inside(kudi):
            assert fresh(invitation).asked_at is None
        page = client.post("/invitation/kudi/ask/", follow=True)
        assert "You asked for a new one on" in text(page)
        assert "<button" not in page.content.decode().split("You asked")[1]
        with inside(kudi):
            assert len(mails(ASKED_FOR)) == 1

    def test_without_a_link_nothing_happens(self, kudi: Lender) -> None:
        expired(kudi)
        with inside(kudi):
            before = rows()
        for slug in ("kudi", "rival", "nowhere"):
            assert Client().post(f"/invitation/{slug}/ask/").status_code == 302
        assert Client().get("/invitation/kudi/ask/").status_code == 405
        with inside(kudi):
            assert rows() == before

    def test_is_limited_by_address(self, kudi: Lender) -> None:
        with patch("teams.views.admission.REQUESTS_PER_HOUR", 2):
            codes = [Client().post("/invitation/kudi/ask/").status_code for _ in range(3)]
        assert codes == [302, 302, 429]


class TestReminder:
    def ending(self, lender: Lender, **facts: Any) -> Invitation:
        times = {"sent_at": ago(days=5, hours=1), "expires_at": timezone.now() + timedelta(days=1, hours=23)}
        with inside(lender):
            return invitation_for(lender, **{**times, **facts})

    def test_goes_out_once_to_everybody_whose_link_ends_soon(self, kudi: Lender, world: World) -> None:
        ours, theirs = self.ending(kudi), self.ending(world.rival)
        assert remind_invited_people() == 2
        assert remind_invited_people() == 0
        for lender, invitation in ((kudi, ours), (world.rival, theirs)):
            with inside(lender):
                [mail] = mails(REMINDER)
                assert mail.recipient == invitation.email
                body = render_body(mail, lender.organization)
                link = re.search(rf"/invitation/{lender.organization.slug}/([^/\s]+)/", body.text)
                assert link
                ticket = read_token(link[1])
                assert ticket
                assert ticket.opens(invitation)
                assert invitation.nonce not in str(mail.payload)

    def test_a_new_link_has_a_reminder_of_its_own(self, kudi: Lender) -> None:
        invitation = self.ending(kudi)
        remind_invited_people()
        with inside(kudi):
            services.resend_invitation(actor=kudi["admin"], invitation=invitation)
            assert [mail.state for mail in mails(REMINDER)] == ["canceled"]
            Invitation.objects.update(sent_at=ago(days=6), expires_at=timezone.now() + timedelta(days=1))
        assert remind_invited_people() == 1

    @pytest.mark.parametrize(
        "facts",
        [
            {"expires_at": timezone.now() + timedelta(days=3)},
            {"expires_at": timezone.now() - timedelta(hours=1)},
            {"revoked_at": timezone.now()},
            {"accepted_at": timezone.now()},
            {"sent_at": timezone.now()},
            {"role": "super_admin"},
            {"by": "deactivated"},
        ],
    )
    def test_does_not_go_out_for_nothing(self, kudi: Lender, facts: dict[str, Any]) -> None:
        self.ending(kudi, **facts)
        assert remind_invited_people() == 0
        with inside(kudi):
            assert not mails(REMINDER)

    def test_is_not_sent_to_an_address_that_did_not_take_the_first(self, kudi: Lender) -> None:
        invitation = self.ending(kudi)
        with inside(kudi):
            OutgoingEmail.objects.create(
                organization=kudi.organization,
                kind="teams/invitation",
                dedupe_key=f"invitation:{invitation.pk}:1",
                recipient=invitation.email,
                subject="Invitation",
                state=OutgoingEmail.State.FAILED,
            )
        assert remind_invited_people() == 0

    def test_of_a_suspended_lender_does_not_leave(self, kudi: Lender) -> None:
        self.ending(kudi)
        services.suspend_organization(organization=kudi.organization)
        assert remind_invited_people() == 0

    def test_is_taken_back_when_the_invitation_is_revoked(self, kudi: Lender) -> None:
        invitation = self.ending(kudi)
        remind_invited_people()
        with inside(kudi):
            [mail] = mails(REMINDER)
            services.revoke_invitation(actor=kudi["admin"], invitation=invitation)
            assert mails(REMINDER)[0].state == "canceled"
            with pytest.raises(Undeliverable):
                find_letter(REMINDER).build(mail)
            with pytest.raises(InvitationNotAcceptable):
                services.accept_invitation(ticket=ticket_of(invitation), user=AnonymousUser())
