"""What the worker does for the outbox. Messages carry ids only; a lost message costs time, never an e-mail.

A sweep runs every few seconds by beat, after each commit that queued something, when a worker starts, and, without
beat, as often as the sweeps themselves ask for: while anything waits there is always one to come within a minute.
Messages are acknowledged before the work, because the rows are what must not be lost: a worker that has to
acknowledge afterwards breaks down when the broker goes away in the meantime.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Organization
from lendconsole.tenancy import organization_context
from notifications import delivery
from notifications.hints import SWEEP, publish
from notifications.mailer import Mailer, MailServerUnreachable
from notifications.models import OutgoingEmail

SWEEP_SECONDS: Final = 20
LONGEST_SLEEP_SECONDS: Final = 60
SHORTEST_SLEEP_SECONDS: Final = 1
UNREACHABLE_SLEEP_SECONDS: Final = 5
WAKE_KEY: Final = "outbox:wake"
KEPT_DAYS: Final = 30
FORGET_AT_ONCE: Final = 1000


@shared_task(acks_late=False)
def deliver(email_id: int) -> None:
    """Send one e-mail ahead of the others, then whatever else is due."""
    _send_due(email_id)


@shared_task(acks_late=False)
def sweep(fresh: bool = False) -> None:
    """Send everything that is due. `fresh`: a worker has just connected, so wakes promised to an earlier one may be void."""
    if fresh:
        cache.delete(WAKE_KEY)
    _send_due()


@shared_task
def forget_old_emails() -> None:
    """Rows that were sent or canceled longer ago than anybody asks about them."""
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    _forget(None, before)
    for organization_id in Organization.objects.order_by("pk").values_list("pk", flat=True):
        with organization_context(organization_id):
            _forget(organization_id, before)


def _send_due(first_id: int | None = None) -> None:
    """For a limited time, so that a backlog leaves room for other tasks; the next sweep goes on where this one ends."""
    deadline = time.monotonic() + SWEEP_SECONDS
    pause = SHORTEST_SLEEP_SECONDS
    _come_back(LONGEST_SLEEP_SECONDS)  # in case an e-mail takes this process down
    with Mailer() as mailer:
        try:
            if first_id is not None and (claimed := delivery.claim(first_id)):
                delivery.deliver(claimed, mailer)
            while time.monotonic() < deadline and (claimed := delivery.claim()):
                delivery.deliver(claimed, mailer)
        except MailServerUnreachable:
            pause = UNREACHABLE_SLEEP_SECONDS
    _come_back(pause)


def _come_back(pause: float) -> None:
    """Promise the next sweep for when something will be due, unless one is promised for about that time already.

    The promise lapses with its time, so that several chains of sweeps end up as one.
    """
    due = delivery.next_due()
    if due is None:
        return
    now = timezone.now()
    seconds = min(max((due - now).total_seconds(), pause), LONGEST_SLEEP_SECONDS)
    promised: float | None = cache.get(WAKE_KEY)
    wake = now.timestamp() + seconds
    if promised is not None and now.timestamp() <= promised <= wake + SHORTEST_SLEEP_SECONDS:
        return
    if publish(SWEEP, countdown=seconds, patience=SHORTEST_SLEEP_SECONDS):
        cache.set(WAKE_KEY, wake, timeout=seconds)


def _forget(organization_id: int | None, before: datetime) -> None:
    """In small portions, so that no lock is held for long."""
    done = (OutgoingEmail.State.SENT, OutgoingEmail.State.CANCELED)
    old = OutgoingEmail.objects.filter(organization=organization_id, state__in=done, created_at__lt=before)
    while ids := list(old.values_list("pk", flat=True)[:FORGET_AT_ONCE]):
        OutgoingEmail.objects.filter(pk__in=ids).delete()
