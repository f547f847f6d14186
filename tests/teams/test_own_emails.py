"""Which e-mails of an organization a member wants: one's own choice, in effect when the letter would leave."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from audit.models import AuditEvent
from customers.services.account_managers import assign_account_manager
from lendconsole.errors import PermissionMissing
from notifications import delivery
from notifications.letters import switches
from notifications.mailer import Mailer
from notifications.models import OutgoingEmail
from teams import services
from teams.errors import EmailAlwaysSent
from teams.models import Member
from tests.teams.support import fresh, inside, refused, verbs
from tests.world import World

URL = "membership/e-mails/"
ASSIGNED = "customers/manager_assigned"


def states() -> dict[str, str]:
    OutgoingEmail.objects.pending().update(available_at=timezone.now())
    with Mailer() as mailer:
        while claimed := delivery.claim():
            delivery.deliver(claimed, mailer)
    return dict(OutgoingEmail.objects.values_list("kind", "state"))


def test_what_is_not_wanted_stays_and_the_rest_leaves(world: World) -> None:
    kudi = world.kudi
    manager = kudi["account_manager"]
    with inside(kudi):
        services.choose_own_emails(actor=manager, muted=[ASSIGNED])
        assign_account_manager(actor=kudi["admin"], customer=kudi.customers["free"], manager=manager)
        assert states() == {ASSIGNED: "canceled", "customers/manager_changed_customer": "sent"}
        reason = OutgoingEmail.objects.get(kind=ASSIGNED).state_reason
        assert reason == f"{manager.name} has switched off e-mails of this kind."
        mail.outbox.clear()
        assign_account_manager(actor=kudi["admin"], customer=kudi.customers["free"], manager=kudi["other_manager"])
        assert states()["customers/manager_ended"] == "sent"
    assert any(kudi["other_manager"].user.email in message.to[0] for message in mail.outbox)


@pytest.mark.parametrize("kind", ["teams/role_changed", "customers/manager_changed_customer", "made/up"])
def test_nothing_else_can_be_switched_off(world: World, kind: str) -> None:
    with inside(world.kudi), refused(EmailAlwaysSent):
        services.choose_own_emails(actor=world.kudi["admin"], muted=[kind])


def test_a_former_member_chooses_nothing(world: World) -> None:
    with inside(world.kudi), refused(PermissionMissing):
        services.choose_own_emails(actor=world.kudi["deactivated"], muted=[ASSIGNED])


def test_the_page(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("account_manager")
    member: Member = kudi["account_manager"]
    page = client.get(kudi.url(URL)).content.decode()
    assert page.count('name="sent_emails"') == len(switches(personal_only=True))
    kept = [kind for kind, _ in switches(personal_only=True) if kind != ASSIGNED]
    for _ in range(2):
        assert client.post(kudi.url(URL), {"sent_emails": kept}).status_code == 302
    with inside(kudi):
        assert fresh(member).muted_emails == [ASSIGNED]
        assert fresh(member).version == member.version
        assert verbs() == ["member.emails_changed"]
        assert AuditEvent.objects.get().after == {"muted_emails": ["Manager assigned"]}
    assert client.post(kudi.url(URL), {"sent_emails": ["teams/role_changed"]}).status_code == 422


def test_what_the_organization_switched_off_is_no_choice_and_ones_own_stays(world: World) -> None:
    kudi = world.kudi
    client = kudi.client("account_manager")
    with inside(kudi):
        services.choose_own_emails(actor=kudi["account_manager"], muted=[ASSIGNED])
        type(kudi.organization).objects.filter(pk=kudi.organization.pk).update(muted_emails=[ASSIGNED])
    page = client.get(kudi.url(URL)).content.decode()
    assert f'value="{ASSIGNED}"' not in page
    typed: dict[str, Any] = {"sent_emails": ["customers/manager_ended"]}
    client.post(kudi.url(URL), typed)
    with inside(kudi):
        muted = set(fresh(kudi["account_manager"]).muted_emails)
    assert ASSIGNED in muted
    assert "customers/manager_ended" not in muted
