"""`make demo` and `make demo-reset`.

Prepares the demo, then runs web, worker and beat until Ctrl-C or until one of them ends.

Each of the three has a process group of its own, so that Ctrl-C reaches this process alone, which then ends them in
order. What they write goes to log files below the state directory.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections

from lendconsole import devstack
from lendconsole.devstack import bootstrap
from lendconsole.devstack.processes import open_directory, tail

START_SECONDS: Final = 60
STOP_SECONDS: Final = 15
LOGS: Final = devstack.STATE / "logs"
PR_SET_PDEATHSIG: Final = 1


class DemoError(Exception):
    """The demo cannot start or go on; the sentence says why."""


@dataclass
class Service:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def account(self) -> str:
        """Which one ended and how, with the end of what it wrote."""
        code = self.process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"The {self.name} process {how}. The end of {self.log}:\n{tail(self.log, 20)}"


def main(arguments: list[str]) -> int:
    port = int(os.environ.setdefault("PORT", "8000"))
    os.environ.setdefault("DEVELOPMENT", "1")
    os.environ.setdefault("STATIC_MANIFEST", "1")
    try:
        with only_demo(f"http://localhost:{port}/"):
            if arguments == ["reset"]:
                return reset()
            prepare()
            return serve(port)
    except (DemoError, devstack.DevstackError, ImproperlyConfigured) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def catch_signals(stopping: threading.Event) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt  # asked a second time: do not wait for anything
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


@contextlib.contextmanager
def only_demo(address: str) -> Iterator[None]:
    """One at a time for each checkout: two schedulers would send everything twice. The lock dies with its holder."""
    open_directory(devstack.STATE)
    LOGS.mkdir(mode=0o700, exist_ok=True)
    with (devstack.STATE / "demo").open("a+") as holder:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder.seek(0)
            raise DemoError(f"The demo of this checkout runs already, at {holder.read()}. End it first.") from None
        holder.truncate(0)
        holder.write(address)
        holder.flush()
        yield


def reset() -> int:
    if not bootstrap.replaces_nothing():
        raise DemoError("DATABASE_URL or REDIS_URL is set: only the embedded servers are emptied, not those.")
    bootstrap.reset()
    print("The demo is empty. The next `make demo` loads it anew.")
    return 0


def prepare() -> None:
    say("Starting PostgreSQL and Valkey")
    bootstrap.bring_up()
    django.setup()
    say("Preparing the database")
    call_command("migrate", verbosity=0)
    call_command("load_demo")
    collect_static_files()
    connections.close_all()


def collect_static_files() -> None:
    """Compressing them takes seconds, so it is done only when one has changed since."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    stamp = devstack.STATE / "static-files"
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if stamp.exists() and manifest.exists() and stamp.read_text() == digest.hexdigest():
        return
    say("Collecting static files")
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest.hexdigest())


def serve(port: int) -> int:
    stopping = threading.Event()
    catch_signals(stopping)
    say("Starting web, worker and beat")
    services: list[Service] = []
    try:
        for name, command in commands(port).items():
            services.append(launch(name, command))
            if name == "web":  # alone at first: three start-ups at once take longer than one after the other
                wait_for_web(port, services, stopping)
        if not stopping.is_set():
            announce()
        while not stopping.wait(0.5):
            check(services)
        say("Stopping")
        return 0
    finally:
        end(services)


def commands(port: int) -> dict[str, list[str]]:
    celery = [sys.executable, "-m", "celery", "-A", "lendconsole"]
    web = [sys.executable, "-m", "gunicorn", "lendconsole.wsgi", "--bind", f"127.0.0.1:{port}"]
    return {
        "web": [
            *web,
            "--worker-class",
            "gthread",
            "--workers",
            "2",
            "--threads",
            "4",
            "--graceful-timeout",
            "5",
            "--no-control-socket",
        ],
        "worker": [*celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"],
        "beat": [*celery, "beat", "--pidfile", ""],
    }


def launch(name: str, command: list[str]) -> Service:
    log = LOGS / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  # this process has no other threads
        )
    return Service(name, process, log)


def end_with_parent() -> None:
    """Where the kernel can do it: a demo that was killed leaves nothing behind that holds the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_for_web(port: int, services: list[Service], stopping: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    status = 0
    while status != http.HTTPStatus.OK and not stopping.wait(0.1):
        check(services)
        if time.monotonic() > deadline:
            raise DemoError(f"The web process does not answer (last status {status}). See {LOGS}.")
        status = health_status(port)


def health_status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/", headers={"Host": "localhost"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def check(services: list[Service]) -> None:
    for service in services:
        if service.process.poll() is not None:
            raise DemoError(service.account)


def announce() -> None:
    print(f"\nlendconsole is ready at {settings.BASE_URL}/\n", flush=True)
    call_command("show_demo_logins")
    print(f"\nEvery e-mail it sends: {settings.BASE_URL}/dev/mailbox/    Logs: {LOGS}    Stop: Ctrl-C\n", flush=True)


def end(services: list[Service]) -> None:
    """Each leader is asked to finish its work; what is left of its group after a while is killed."""
    for service in services:
        if service.process.poll() is None:
            service.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    try:
        for service in services:
            with contextlib.suppress(subprocess.TimeoutExpired):
                service.process.wait(max(0.1, deadline - time.monotonic()))
    finally:
        for service in services:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(service.process.pid, signal.SIGKILL)
            service.process.wait()


def say(step: str) -> None:
    print(f"{step} ...", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
