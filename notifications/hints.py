"""Telling the worker after the commit that there is something to send. The row is the promise; this is only a hint."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

import kombu.transport.redis  # noqa: F401  # here, so that no request has to wait for this import
from celery import current_app
from django.db import transaction
from kombu import pools

logger = logging.getLogger(__name__)

DELIVER: Final = "notifications.tasks.deliver"
SWEEP: Final = "notifications.tasks.sweep"
# A request waits no longer than this for a broker that does not answer, and then leaves it alone for a while.
PATIENCE_SECONDS: Final = 0.035
PAUSE_SECONDS: Final = 5.0


class _Commit:
    """The e-mails that one transaction queues: it hints once, however many there are."""

    def __init__(self) -> None:
        self.email_ids: list[int] = []
        self.is_hinted = False


class _Local(threading.local):
    commit: _Commit | None = None


class _Broker:
    """Shared by all threads, so that a dead broker costs one request the patience, not each of them."""

    paused_until = 0.0


_local = _Local()


def hint_after_commit(email_id: int) -> None:
    """A rolled-back transaction hints nothing. What it queued may stay listed for the thread's next one, which does no harm."""
    commit = _local.commit
    if commit is None or commit.is_hinted:
        commit = _local.commit = _Commit()
    commit.email_ids.append(email_id)

    def hint() -> None:  # not a partial: should it fail, Django's report asks for its name
        _hint(commit)

    transaction.on_commit(hint, robust=True)


def publish(name: str, *args: int, countdown: float | None = None, patience: float = PATIENCE_SECONDS) -> bool:
    """Whether the broker took the message. Never raises, never waits longer than `patience` for an answer.

    The connection is one of its own, because the worker's has to wait patiently.
    """
    if time.monotonic() < _Broker.paused_until:
        return False
    # One question, asked once: neither a second attempt nor a look at the connection's health.
    options = {"socket_timeout": patience, "socket_connect_timeout": patience}
    options |= {"max_retries": 0, "health_check_interval": 0}
    try:
        connection = current_app.connection_for_write(transport_options=options)
        with pools.producers[connection].acquire(block=True, timeout=patience) as producer:
            current_app.send_task(
                name, args=args, countdown=countdown, producer=producer, retry=False, ignore_result=True
            )
    except Exception as error:  # whatever a broker can fail with, the sweep finds the rows
        _Broker.paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("The queue does not answer; e-mails wait for the next sweep (%s).", type(error).__name__)
        return False
    return True


def publish_after_commit(name: str, *args: int) -> None:
    """For the job of a row: where the message is lost, which costs time alone, a sweep finds the row."""
    transaction.on_commit(lambda: publish(name, *args), robust=True)


def _hint(commit: _Commit) -> None:
    """A single e-mail is delivered ahead of a backlog."""
    if commit.is_hinted:
        return
    commit.is_hinted = True
    if len(commit.email_ids) == 1:
        publish(DELIVER, commit.email_ids[0])
    else:
        publish(SWEEP)
