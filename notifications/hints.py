"""Telling the worker after the commit that there is something to send. The row is the promise; this is only a hint."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction
from kombu import pools

logger = logging.getLogger(__name__)

DELIVER = "notifications.tasks.deliver"
SWEEP = "notifications.tasks.sweep"
# A request waits no longer than this for a broker that does not answer, and then leaves it alone for a while.
PATIENCE_SECONDS = 0.04
PAUSE_SECONDS = 5.0


class _Commit:
    """The e-mails that one transaction queues: it hints once, however many there are."""

    def __init__(self) -> None:
        self.email_ids: list[int] = []
        self.is_hinted = False


class _Local(threading.local):
    commit: _Commit | None = None
    paused_until = 0.0


_local = _Local()


def hint_after_commit(email_id: int) -> None:
    """A rolled-back transaction hints nothing. What it queued may stay listed for the thread's next one, which does no harm."""
    commit = _local.commit
    if commit is None or commit.is_hinted:
        commit = _local.commit = _Commit()
    commit.email_ids.append(email_id)
    transaction.on_commit(partial(_hint, commit), robust=True)


def _hint(commit: _Commit) -> None:
    if commit.is_hinted:
        return
    commit.is_hinted = True
    if time.monotonic() < _local.paused_until:
        return
    try:
        _publish(commit.email_ids)
    except Exception as error:  # noqa: BLE001  # whatever a broker can fail with, the sweep finds the rows
        _local.paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("The queue does not answer; e-mails wait for the next sweep (%s).", type(error).__name__)


def _publish(email_ids: list[int]) -> None:
    """A single e-mail is delivered ahead of a backlog. A connection of its own, because the worker's waits patiently."""
    name, args = (DELIVER, (email_ids[0],)) if len(email_ids) == 1 else (SWEEP, ())
    options = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    connection = current_app.connection_for_write(transport_options=options)
    with pools.producers[connection].acquire(block=True, timeout=PATIENCE_SECONDS) as producer:
        current_app.send_task(name, args=args, producer=producer, retry=False, ignore_result=True)
