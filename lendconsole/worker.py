"""How a worker meets its broker: it survives losing it, and looks into the outbox whenever it has found it again."""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps
from celery.worker import consumer

logger = logging.getLogger(__name__)


class Consumer(consumer.Consumer):
    """Celery's own, made to live on when the broker goes away while a message is unacknowledged.

    kombu hands such messages back while it closes the lost connection, for which it needs that connection, and the
    AttributeError that comes of it would end the worker. The broker hands them out again by itself.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError:
            logger.warning("The broker went away with messages of this worker unacknowledged; it will repeat them.")


class SweepOnceConnected(bootsteps.StartStopStep):
    """What waited while no worker ran, or while the broker was away, goes out now, whether beat runs or not."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        parent.app.send_task("notifications.tasks.sweep", kwargs={"fresh": True})
