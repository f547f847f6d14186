"""What the worker tidies away, because nobody can use it anymore."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Organization, Submission
from lendconsole.tenancy import organization_context

SUBMISSIONS_KEPT: Final = timedelta(days=2)


@shared_task
def forget_sessions() -> int:
    """Those that ran out, with their lines on the page of sessions. Returns how many."""
    now = timezone.now()
    count, _ = Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.filter(last_seen_at__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE)).delete()
    return count


@shared_task
def forget_submissions() -> int:
    """Keys of forms that were open longer ago than any session lasts. Returns how many."""
    before, count = timezone.now() - SUBMISSIONS_KEPT, 0
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with organization_context(organization_id):
            count += Submission.objects.filter(organization=organization_id, created_at__lt=before).delete()[0]
    return count
