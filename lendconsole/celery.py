"""The Celery app: `celery -A lendconsole worker` and `celery -A lendconsole beat`."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery, signals
from django.conf import settings

from lendconsole.devstack import bootstrap

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lendconsole.settings")

app = Celery("lendconsole")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.celeryd_init.connect
@signals.beat_init.connect
def bring_up_servers(**_: Any) -> None:
    """A worker on a development machine may be the first process to need them."""
    bootstrap.bring_up()


@signals.setup_logging.connect
def log_as_configured(**_: Any) -> None:
    """Celery leaves logging alone when this signal has a receiver: its processes write as the web processes do."""
    logging.config.dictConfig(settings.LOGGING)


app.steps["consumer"].add("lendconsole.worker:SweepOnceConnected")
app.conf.worker_consumer = "lendconsole.worker:Consumer"
