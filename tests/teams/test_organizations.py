"""A lender's first day, its roles, its security policy, and its suspension."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command

from accounts.models import Organization
from lendconsole.tenancy import organization_context
from teams import services
from teams.built_in_roles import DEFINITIONS, BuiltInRole
from teams.errors import OrganizationNotCreated
from teams.invitation_links import Ticket
from teams.models import Invitation, Office, Role, RolePermission
from teams.services.admission import InvitationNotAcceptable, Newcomer
from tests.factories import PASSWORD
from tests.teams.support import fresh, inside, mails, refused, rows, verbs
from tests.world import World

FACTS = {
    "name": "Sunrise Lending",
    "slug": "sunrise",
    "super_admin_email": "Bola@Sunrise.example",
    "first_name": "Bola",
    "last_name": "Ade",
}


@pytest.mark.django_db
def test_an_organization_begins_with_office_roles_and_an_invited_super_admin() -> None:
    invitation = services.create_organization(**FACTS)
    organization = Organization.objects.get(slug="sunrise")
    assert organization.requires_second_factor
    with organization_context(organization.pk):
        [office] = Office.objects.all()
        assert (office.name, office.type, office.path) == ("Head Office", "head_office", f"/{office.pk}/")
        assert set(Role.objects.values_list("built_in", flat=True)) == {role.value for role in BuiltInRole}
        assert verbs() == ["organization.created", "member.invited"]
        [mail] = mails("teams/invitation")
        assert (mail.recipient, mail.subject) == ("bola@sunrise.example", "You are invited to Sunrise Lending")
        member = services.accept_invitation(
            ticket=Ticket(invitation.pk, invitation.nonce),
            user=AnonymousUser(),
            newcomer=Newcomer("Bola", "Ade", PASSWORD),
        )
        assert member.role.is_super_admin


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"slug": "Sun Rise"}, "slug"),
        ({"slug": "admin"}, "kept for the console"),
        ({"name": ""}, "name"),
        ({"name": "<b>Sunrise</b>"}, "name"),
        ({"super_admin_email": "bola"}, "super admin email"),
        ({"first_name": "http://evil.example"}, "first name"),
        ({"time_zone": "Lagos"}, "time_zone"),
    ],
)
def test_bad_facts_create_nothing(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(OrganizationNotCreated, match=problem):
        services.create_organization(**{**FACTS, **changes})
    assert not Organization.objects.exists()


def test_a_slug_is_taken_once(world: World) -> None:
    with pytest.raises(OrganizationNotCreated, match="slug"):
        services.create_organization(**{**FACTS, "slug": "kudi"})


def test_the_command_prints_the_link_on_demand(db: None) -> None:
    out = StringIO()
    arguments = [f"--{key.replace('_', '-')}={value}" for key, value in FACTS.items()]
    call_command("create_organization", *arguments, "--print-link", stdout=out)
    assert "on its way" in out.getvalue()
    assert "/invitation/sunrise/" in out.getvalue()
    with pytest.raises(CommandError, match="slug"):
        call_command("create_organization", *arguments)


def test_built_in_roles_follow_their_definitions(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        support = kudi.roles["customer_support"]
        RolePermission.objects.filter(role=support, capability="customers.view").update(reach="own")
        RolePermission.objects.create(role=support, capability="audit.view", reach="organization")
        Role.objects.filter(pk=support.pk).update(name="Support", description="")
    call_command("sync_roles", stdout=StringIO())
    with inside(kudi):
        synced = fresh(support)
        definition = DEFINITIONS[BuiltInRole.CUSTOMER_SUPPORT]
        assert (synced.name, synced.description, synced.reaches) == (
            "Customer Support",
            definition.description,
            definition.reaches,
        )
        assert fresh(kudi.roles["no_users_unit"]).reaches == {"members.view": "organization"}
        before = rows()
        services.sync_built_in_roles(organization=kudi.organization)
        assert rows() == before


def test_suspension_closes_the_console_at_once_and_resuming_opens_it(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("super_admin")
    call_command("suspend_organization", "kudi", "--reason=unpaid", stdout=StringIO())
    assert client.get(kudi.url("settings/members/")).status_code == 404
    call_command("suspend_organization", "kudi", "--resume", stdout=StringIO())
    assert client.get(kudi.url("settings/members/")).status_code == 200
    with inside(kudi):
        assert verbs() == ["organization.suspended", "organization.resumed"]
    with pytest.raises(CommandError):
        call_command("suspend_organization", "nobody")


def test_a_suspended_lender_admits_nobody(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation = Invitation.objects.create(
            email="a@b.example",
            first_name="A",
            last_name="B",
            role=kudi.roles["compliance"],
            office=kudi.branch,
            expires_at="2099-01-01T00:00Z",
        )
    services.suspend_organization(organization=kudi.organization)
    assert kudi.organization.suspended_at is not None
    with inside(kudi), refused(InvitationNotAcceptable, match="broken"):
        services.accept_invitation(ticket=Ticket(invitation.pk, invitation.nonce), user=AnonymousUser())
