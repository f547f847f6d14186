"""The security policy: whose it is, the days of grace, and sessions that end sooner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from accounts.models import Organization
from audit.models import AuditEvent
from lendconsole.errors import PermissionMissing, StaleVersion
from teams import services
from teams.errors import PolicyRefused
from tests.pages import statements
from tests.teams.support import fresh, inside, refused, verbs
from tests.world import Lender, World

POLICY = {"requires_second_factor": False, "grace_days": None, "session_idle_minutes": 30, "session_hours": 12}
MINUTE = 60


def change(lender: Lender, actor: str = "super_admin", **policy: Any) -> Organization:
    version = fresh(lender.organization).version
    return services.change_security_policy(actor=lender[actor], **{**POLICY, "version": version, **policy})


def secure(lender: Lender, name: str) -> None:
    Authenticator.objects.create(user=lender[name].user, type=Authenticator.Type.TOTP, data={"secret": "x"})


class TestRules:
    def test_it_is_the_super_admins(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            for _ in range(2):
                change(kudi, requires_second_factor=True)
            assert verbs() == ["organization.security_changed"]
            assert AuditEvent.objects.get().after == {"requires_second_factor": True}
        assert fresh(kudi.organization).second_factor_is_due
        for actor in ("admin", "compliance"):
            with inside(kudi), refused(PermissionMissing):
                change(kudi, actor, session_hours=4)

    @pytest.mark.parametrize(
        "policy",
        [
            {"requires_second_factor": True, "grace_days": -1},
            {"requires_second_factor": True, "grace_days": 61},
            {"session_idle_minutes": 0},
            {"session_idle_minutes": 600},
            {"session_hours": 0},
            {"session_hours": 24},
        ],
    )
    def test_refuses_what_is_no_policy(self, world: World, policy: dict[str, Any]) -> None:
        with inside(world.kudi), refused(PolicyRefused):
            change(world.kudi, **policy)

    def test_the_second_of_two_is_told(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, session_hours=8)
            with refused(StaleVersion):
                change(kudi, session_hours=4, version=1)

    def test_the_date_stays_unless_days_are_given(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            due = change(kudi, requires_second_factor=True, grace_days=7).second_factor_due_at
            assert due is not None
            assert timedelta(days=6, hours=23) < due - timezone.now() <= timedelta(days=7)
            assert change(kudi, requires_second_factor=True, session_hours=8).second_factor_due_at == due
            assert change(kudi, requires_second_factor=True, grace_days=0).second_factor_due_at is None
            change(kudi, requires_second_factor=False, grace_days=7)
        assert fresh(kudi.organization).second_factor_due_at is None


class TestGrace:
    def test_a_line_with_the_date_and_then_the_way_to_set_one_up(self, world: World) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, requires_second_factor=True, grace_days=3)
            secure(kudi, "admin")
        lacking, secured = kudi.client("account_manager"), kudi.client("admin")
        page = lacking.get(kudi.url()).content.decode()
        assert "asks for a second factor" in page
        assert f"{timezone.now() + timedelta(days=3):%-d %b %Y}" in page
        assert "asks for a second factor" not in secured.get(kudi.url()).content.decode()
        with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1), tick=False):
            late = kudi.client("account_manager")
            assert late.get(kudi.url())["Location"] == "/accounts/2fa/app/activate/"
            assert late.get(kudi.url("customers/"))["Location"] == "/accounts/2fa/app/activate/"
            assert kudi.client("admin").get(kudi.url()).status_code == 200
        assert "asks for a second factor" not in world.rival.client("admin").get(world.rival.url()).content.decode()

    def test_the_page_lists_who_lacks_one(self, world: World) -> None:
        kudi = world.kudi
        client, url = kudi.client("super_admin"), kudi.url("settings/security/")
        with inside(kudi):
            change(kudi, requires_second_factor=True, grace_days=30)
            secure(kudi, "compliance")
        page = client.get(url).content.decode().replace("<wbr>", "")
        assert "Due on" in page
        listed = page.partition('id="lacking"')[2]
        assert kudi["loan_officer"].user.email in listed
        assert kudi["compliance"].user.email not in listed
        assert kudi["deactivated"].user.email not in listed


def signed_in(client: Client, lender: Lender) -> bool:
    response = client.get(lender.url())
    if response.status_code == 302:
        assert response["Location"].startswith("/accounts/login/")
    return bool(response.status_code == 200)


class TestSessions:
    @pytest.fixture
    def clock(self) -> Any:
        with time_machine.travel(timezone.now(), tick=False) as traveller:
            yield traveller

    def test_idle(self, world: World, clock: time_machine.Traveller) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, session_idle_minutes=10)
        client = kudi.client("account_manager")
        for _ in range(4):
            assert signed_in(client, kudi)
            clock.shift(9 * MINUTE)
        assert signed_in(client, kudi)
        clock.shift(10 * MINUTE)
        response = client.get(kudi.url("customers/"))
        assert response["Location"] == "/accounts/login/?next=/o/kudi/customers/"
        assert "nothing happened for 10 minutes" in client.get(response["Location"]).content.decode()

    def test_at_all(self, world: World, clock: time_machine.Traveller) -> None:
        kudi = world.kudi
        with inside(kudi):
            change(kudi, session_hours=1)
        client = kudi.client("account_manager")
        for _ in range(3):
            assert signed_in(client, kudi)
            clock.shift(20 * MINUTE)
        assert not signed_in(client, kudi)

    def test_pages_outside_prolong_nothing(self, world: World, clock: time_machine.Traveller) -> None:
        """Somebody at an unattended screen opens a page of the account first."""
        kudi = world.kudi
        with inside(kudi):
            change(kudi, session_idle_minutes=10)
        client = kudi.client("account_manager")
        assert signed_in(client, kudi)
        clock.shift(15 * MINUTE)
        assert client.get("/accounts/").status_code == 302
        assert not signed_in(client, kudi)

    def test_a_stricter_policy_is_in_force_on_the_next_request(
        self, world: World, clock: time_machine.Traveller
    ) -> None:
        kudi = world.kudi
        client = kudi.client("account_manager")
        assert signed_in(client, kudi)
        with inside(kudi):
            change(kudi, session_idle_minutes=10)
        clock.shift(15 * MINUTE)
        assert not signed_in(client, kudi)
        patient = kudi.client("compliance")
        assert signed_in(patient, kudi)
        with inside(kudi):
            change(kudi, session_idle_minutes=30)
        clock.shift(5 * MINUTE)
        assert signed_in(patient, kudi)
        clock.shift(20 * MINUTE)
        assert signed_in(patient, kudi)

    def test_other_organizations_keep_theirs(self, world: World, clock: time_machine.Traveller) -> None:
        with inside(world.kudi):
            change(world.kudi, session_idle_minutes=5)
        client = world.rival.client("admin")
        assert signed_in(client, world.rival)
        clock.shift(20 * MINUTE)
        assert signed_in(client, world.rival)

    def test_costs_no_statement(self, world: World) -> None:
        kudi = world.kudi
        client = kudi.client("account_manager")
        client.get(kudi.url())
        before = len(statements(client, kudi.url()))
        with inside(kudi):
            change(kudi, session_idle_minutes=10)
        client.get(kudi.url())
        assert len(statements(client, kudi.url())) == before
