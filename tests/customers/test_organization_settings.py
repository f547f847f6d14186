"""Settings > Organization: who changes what, what is refused, and that each setting is in effect."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Organization
from audit.models import AuditEvent
from customers.errors import CurrencyInUse
from customers.models import Customer
from customers.services.account_managers import assign_account_manager
from customers.services.settings import change_organization
from lendconsole.errors import PermissionMissing, StaleVersion
from notifications import delivery
from notifications.letters import all_letters, switches
from notifications.mailer import Mailer
from notifications.models import OutgoingEmail
from teams import services
from teams.errors import OrganizationFactRefused
from teams.models import Invitation
from tests.pages import statements
from tests.teams.support import fresh, inside, refused, verbs
from tests.world import Lender, World

URL = "settings/organization/"
ALWAYS_SENT = {
    "customers/access_decided",
    "customers/access_requested",
    "customers/cover_ended",
    "customers/cover_named",
    "customers/emergency_access",
    "customers/impostor_reported",
    "customers/borrower_link",
    "teams/deactivated",
    "teams/invitation",
    "teams/role_changed",
}


def facts(lender: Lender, **changes: Any) -> services.OrganizationFacts:
    return replace(services.OrganizationFacts.of(fresh(lender.organization)), **changes)


def change(lender: Lender, actor: str = "admin", **changes: Any) -> Organization:
    version = fresh(lender.organization).version
    return change_organization(actor=lender[actor], facts=facts(lender, **changes), version=version)


def posted(lender: Lender, **changes: Any) -> dict[str, Any]:
    """The form as the page renders it now, with some fields typed over."""
    organization = fresh(lender.organization)
    fields = services.OrganizationFacts.__slots__
    present = {name: getattr(organization, name) for name in fields if name != "muted_emails"}
    sent = [kind for kind, _ in switches() if kind not in organization.muted_emails]
    return {**present, "sent_emails": sent, "version": organization.version, **changes}


def send_all() -> None:
    OutgoingEmail.objects.pending().update(available_at=timezone.now())
    with Mailer() as mailer:
        while claimed := delivery.claim():
            delivery.deliver(claimed, mailer)


def invite(lender: Lender) -> Any:
    return services.invite_member(
        actor=fresh(lender["admin"]),
        email="efe@new.example",
        first_name="Efe",
        last_name="Osagie",
        role=lender.roles["compliance"],
        office=lender.branch,
    )


class TestRules:
    def test_changes_are_audited_with_what_changed_alone(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, name="Kudi Bank", time_zone="Africa/Accra")
            event = AuditEvent.objects.get()
            change(kudi)
            assert verbs() == ["organization.changed"]
        assert event.after == {"name": "Kudi Bank", "time_zone": "Africa/Accra"}
        assert fresh(kudi.organization).name == "Kudi Bank"
        assert fresh(kudi.organization).version == 2

    @pytest.mark.parametrize("actor", ["compliance", "account_manager", "no_users_unit"])
    def test_needs_its_permission(self, world: World, actor: str) -> None:
        with inside(world.kudi), refused(PermissionMissing):
            change(world.kudi, actor, name="Mine")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": "<b>Kudi</b>"}, "name"),
            ({"name": ""}, "name"),
            ({"time_zone": "Africa/Atlantis"}, "time_zone"),
            ({"currency": "ABC"}, "currency"),
            ({"website": "javascript:alert(1)"}, "website"),
            ({"contact_email": "nobody"}, "contact_email"),
            ({"reply_to": "a@example.com\nBcc: b@example.com"}, "reply_to"),
            ({"reply_to": "a@example.com, b@example.com"}, "reply_to"),
            ({"sender_name": "Kudi\r\nBcc: b@example.com"}, "sender_name"),
            ({"sender_name": "https://evil.example"}, "sender_name"),
            ({"invitation_days": 0}, "invitation_days"),
            ({"invitation_days": 31}, "invitation_days"),
            ({"muted_emails": ("teams/deactivated",)}, "muted_emails"),
            ({"muted_emails": ("teams/invitation",)}, "muted_emails"),
            ({"muted_emails": ("made/up",)}, "muted_emails"),
        ],
    )
    def test_refuses_what_does_not_hold(self, world: World, changes: dict[str, Any], field: str) -> None:
        with inside(world.kudi), refused(OrganizationFactRefused) as caught:
            change(world.kudi, **changes)
        assert caught.value.field == field

    def test_the_second_of_two_is_told(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            mine, theirs = facts(kudi, name="Mine Bank"), facts(kudi, name="Theirs Bank")
            change_organization(actor=kudi["admin"], facts=theirs, version=1)
            with refused(StaleVersion):
                change_organization(actor=kudi["super_admin"], facts=mine, version=1)

    def test_the_currency_stays_once_amounts_are_on_record(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, currency="GHS")
            Customer.objects.filter(pk=kudi.customers["free"].pk).update(monthly_income=100)
            with refused(CurrencyInUse):
                change(kudi, currency="KES")
            change(kudi, name="Other Bank")


class TestEffects:
    def test_sender_and_answers(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, contact_email="hello@kudi.example")
            invite(kudi)
            send_all()
            change(kudi, sender_name='Kudi "Care", Lagos', reply_to="care@kudi.example")
            services.resend_invitation(actor=kudi["admin"], invitation=Invitation.objects.get())
            send_all()
        first, second = (message.message() for message in mail.outbox)
        assert first["From"] == "Kudi T1-Bank <no-reply@localhost>"
        assert first["Reply-To"] == "hello@kudi.example"
        assert second["From"] == '"Kudi \\"Care\\", Lagos" <no-reply@localhost>'
        assert second["Reply-To"] == "care@kudi.example"
        assert second["Bcc"] is None

    def test_invitations_last_as_long_as_it_says(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, invitation_days=3)
            invitation = invite(kudi)
            left = invitation.expires_at - timezone.now()
            assert timedelta(days=2, hours=23) < left <= timedelta(days=3)
            change(kudi, invitation_days=12)
            assert fresh(invitation).expires_at == invitation.expires_at
            sent = services.resend_invitation(actor=kudi["admin"], invitation=invitation)
            assert sent.expires_at - timezone.now() > timedelta(days=11)

    def test_switched_off_e_mails_stay(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, muted_emails=("customers/manager_changed_customer",))
            customer, manager = kudi.customers["free"], kudi["account_manager"]
            assign_account_manager(actor=kudi["admin"], customer=customer, manager=manager)
            send_all()
            states = dict(OutgoingEmail.objects.values_list("kind", "state"))
            reason = OutgoingEmail.objects.get(state="canceled").state_reason
        assert states == {"customers/manager_changed_customer": "canceled", "customers/manager_assigned": "sent"}
        assert reason == "The organization has switched off e-mails of this kind."
        assert [message.to for message in mail.outbox] == [[f"{manager.name} <{manager.user.email}>"]]

    def test_what_concerns_access_has_no_switch(self) -> None:
        known = {each.kind for each in all_letters() if not each.kind.startswith("tests/")}
        assert known - {kind for kind, _ in switches()} == ALWAYS_SENT

    def test_the_time_zone_and_the_name_are_on_the_next_page(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        with inside(kudi):
            change(kudi, name="Umbrella Bank", time_zone="Asia/Tokyo", website="https://kudi.example")
        page = client.get(kudi.url()).content.decode()
        assert "Umbrella Bank" in page
        assert "+09:00" in client.get(kudi.url("audit/")).content.decode()
        assert 'href="https://kudi.example"' in client.get("/borrower/kudi/").content.decode()


class TestPage:
    def test_saves_and_shows(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        typed = posted(kudi, name="Kudi Bank", contact_phone="0803 412 9981", website="kudi.example", sent_emails=[])
        response = client.post(kudi.url(URL), typed, follow=True)
        assert "The settings are saved." in response.content.decode()
        organization = fresh(kudi.organization)
        assert organization.contact_phone == "+2348034129981"
        assert organization.website == "https://kudi.example"
        assert set(organization.muted_emails) == {kind for kind, _ in switches()}
        page = client.get(kudi.url(URL)).content.decode()
        assert 'name="sent_emails"' in page
        assert not re.search(r"<input[^>]*sent_emails[^>]*checked", page)

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"name": "www.evil.example"}, "A name cannot contain"),
            ({"website": "ftp://kudi.example"}, "begins with https://"),
            ({"reply_to": "a@example.com\nBcc: b@x.example"}, "not a complete e-mail address"),
            ({"time_zone": "Mars/Olympus"}, "This choice is not available"),
            ({"currency": "XXX"}, "This choice is not available"),
            ({"invitation_days": "0"}, "Use 1 or more."),
            ({"sent_emails": ["teams/deactivated"]}, "This choice is not available"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(
        self, world: World, typed: dict[str, Any], sentence: str
    ) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        before = Organization.objects.filter(slug="kudi").values().get()
        response = client.post(kudi.url(URL), posted(kudi, **{"contact_email": "kept@kudi.example", **typed}))
        assert response.status_code == 422
        assert sentence in response.content.decode()
        assert "kept@kudi.example" in response.content.decode()
        assert Organization.objects.filter(slug="kudi").values().get() == before

    def test_few_statements(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("admin")
        client.get(kudi.url(URL))
        assert len(statements(client, kudi.url(URL))) <= 7
