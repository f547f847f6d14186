"""What the fault tests break: a Valkey of their own and worker processes on the test database. Nothing here is shared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from lendconsole.devstack import valkey
from lendconsole.devstack.places import Places

CHECKOUT = Path(__file__).resolve().parents[2]
WORKER_START_SECONDS = 40


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


class Worker:
    """`celery worker` with two processes, on the test database, with a broker and a mail server of the test's own."""

    def __init__(self, broker: Broker, mail_port: int, log: Path) -> None:
        self.log = log
        environment = {
            **os.environ,
            "DEBUG": "1",
            "DATABASE_URL": _test_database_url(),
            "REDIS_URL": broker.redis_url,
            "CELERY_BROKER_URL": broker.broker_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "EMAIL_TIMEOUT": "1",  # and leases of 12 seconds
            "DB_POOL": "0",
            "LOG_LEVEL": "INFO",
        }
        command = [sys.executable, "-m", "celery", "-A", "tests.faults.app", "worker", "--pool", "prefork"]
        command += ["--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        until(self._is_ready, seconds=WORKER_START_SECONDS, what="the worker starts")

    def kill(self) -> None:
        """kill -9 for the whole group, as when the machine goes down."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        return " ready." in self.log.read_text()


def _test_database_url() -> str:
    configuration = connection.settings_dict
    host, name = str(configuration["HOST"]), configuration["NAME"]
    user = quote(str(configuration["USER"]))
    if configuration["PASSWORD"]:
        user += f":{quote(str(configuration['PASSWORD']))}"
    if host.startswith("/"):
        return f"postgresql://{user}@/{name}?host={quote(host)}"
    return f"postgresql://{user}@{host}:{configuration['PORT'] or 5432}/{name}"
