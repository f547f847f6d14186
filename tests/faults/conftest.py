from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app

from accounts.models import Organization
from lendconsole.tenancy import organization_context
from notifications import hints
from notifications.models import OutgoingEmail
from tests.faults.stack import Broker, Worker
from tests.letters import TEMPLATES
from tests.mail_server import MailServer, mail_server
from tests.world import World, build_world

StartWorker = Callable[[], Worker]


@pytest.fixture
def world(transactional_db: None) -> World:
    """Committed, so that the worker sees it."""
    return build_world()


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    directory = Path(tempfile.mkdtemp(prefix="faults-"))  # short enough for a socket's address
    broker = Broker(directory)
    broker.start()
    yield broker
    broker.stop()
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[MailServer, int]]:
    with mail_server() as server_and_port:
        yield server_and_port


@pytest.fixture
def server(mail: tuple[MailServer, int]) -> MailServer:
    """The mail server, obliging and empty again."""
    mail[0].reset()
    return mail[0]


@pytest.fixture(scope="module")
def start_worker(
    django_db_setup: None, broker: Broker, mail: tuple[MailServer, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartWorker]:
    workers: list[Worker] = []
    directory = tmp_path_factory.mktemp("workers")

    def start() -> Worker:
        worker = Worker(broker, mail[1], directory / f"{len(workers)}.log")
        workers.append(worker)
        worker.wait_until_ready()
        return worker

    yield start
    for worker in workers:
        worker.kill()


@pytest.fixture(autouse=True)
def _own_stack(settings: Any, monkeypatch: pytest.MonkeyPatch, broker: Broker, mail: tuple[MailServer, int]) -> None:
    """The test itself plays the web process."""
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(TEMPLATES)
    settings.TEMPLATES = templates
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": broker.redis_url}}
    settings.ASSIGNMENT_MAIL_HOLD_SECONDS = 0
    for name in ("broker_url", "broker_write_url"):
        monkeypatch.setattr(current_app.conf, name, broker.broker_url)
    monkeypatch.setattr(hints._Broker, "paused_until", 0.0)


@pytest.fixture
def states() -> Callable[[], list[str]]:
    """The state of every e-mail of every organization."""

    def read() -> list[str]:
        found: list[str] = []
        for organization in Organization.objects.all():
            with organization_context(organization.pk):
                found += OutgoingEmail.objects.values_list("state", flat=True)
        return found

    return read
