"""What the fault tests break: a Valkey of their own and worker processes on the test database. Nothing here is shared."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lendconsole.devstack import valkey
from lendconsole.devstack.places import Places
from tests.stack import Process, database_url


def until(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Wait for the condition to hold, and fail with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return answer


class Broker:
    """Queue and cache."""

    def __init__(self, directory: Path) -> None:
        self.places = Places(state=directory, home=directory, run=directory)

    @property
    def redis_url(self) -> str:
        return f"unix://{self.places.valkey_socket}?db=0"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.places.valkey_socket}?virtual_host=0"

    def start(self) -> None:
        valkey.start(self.places)

    def stop(self) -> None:
        valkey.stop(self.places)

    def empty(self) -> None:
        valkey.empty(self.places)


class Worker(Process):
    """`celery worker` with two processes, on the test database, with a broker and a mail server of the test's own."""

    def __init__(self, broker: Broker, mail_port: int, log: Path) -> None:
        environment = {
            **os.environ,
            "DEBUG": "1",
            "DATABASE_URL": database_url(),
            "REDIS_URL": broker.redis_url,
            "CELERY_BROKER_URL": broker.broker_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "EMAIL_TIMEOUT": "1",  # and leases of 12 seconds
            "DB_POOL": "0",
            "LOG_LEVEL": "INFO",
        }
        command = [sys.executable, "-m", "celery", "-A", "tests.faults.app", "worker", "--pool", "prefork"]
        command += ["--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        super().__init__(log.stem, command, environment, log.parent)
        self.start()

    def wait_until_ready(self) -> None:
        self.wait_for(" ready.")
