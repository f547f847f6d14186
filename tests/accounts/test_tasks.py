"""What the worker tidies away."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Submission
from accounts.tasks import forget_sessions, forget_submissions
from lendconsole.tenancy import organization_context
from tests.world import World


def test_sessions_that_ran_out_go_with_their_lines(world: World) -> None:
    kudi = world.kudi
    old = kudi.client("admin")
    old.get(kudi.url())
    assert forget_sessions() == 0
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE + 60), tick=False):
        young = kudi.client("admin")
        young.get(kudi.url())
        assert forget_sessions() == 1
    key = young.cookies["sessionid"].value
    assert [session.session_key for session in Session.objects.all()] == [key]
    assert [session.session_key for session in UserSession.objects.all()] == [key]


def test_keys_of_forms_are_kept_for_two_days(world: World) -> None:
    now = timezone.now()
    for lender in (world.kudi, world.rival):
        with organization_context(lender.organization.pk):
            for age in (timedelta(hours=47), timedelta(hours=49)):
                Submission.objects.create(
                    organization=lender.organization, user=lender["admin"].user, path="/", created_at=now - age
                )
    assert forget_submissions() == 2
    with organization_context(world.kudi.organization.pk):
        assert Submission.objects.get().created_at == now - timedelta(hours=47)
