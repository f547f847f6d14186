"""The whole program beside the tests: web, worker, beat, a Valkey of its own and a real SMTP server, on the test database.

Everything listens on loopback or on Unix sockets in a directory of its own, so that any number of test runs and the
demo can go on side by side. What the processes write goes to log files, whose ends stand in the messages of failures.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg.errors
import redis
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, transaction

from lendconsole.devstack import valkey
from lendconsole.devstack.places import Places
from lendconsole.devstack.processes import tail
from lendconsole.tenancy import as_owner
from tests.mail_server import MailServer, mail_server

START_SECONDS = 60
STOP_SECONDS = 15
MAIL_SECONDS = 40
CELERY = [sys.executable, "-m", "celery", "-A", "lendconsole"]
WORKER = [*CELERY, "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]
BEAT = [*CELERY, "beat", "--pidfile", ""]
GUNICORN = [sys.executable, "-m", "gunicorn", "lendconsole.wsgi", "--worker-class", "gthread", "--threads", "6"]
SECRETS = {
    "SECRET_KEY": "a-secret-for-the-tests-own-processes-alone",
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"a-key-of-32-bytes-for-the-tests.").decode(),
    "FIELD_FINGERPRINT_KEY": "a-key-for-the-tests-own-processes-alone",
}
# What the processes remember about the database for as long as they live.
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


def database_url() -> str:
    """The test database, under the restricted login that the tests use themselves."""
    facts = connection.settings_dict
    login = quote(facts["USER"]) + (f":{quote(facts['PASSWORD'], safe='')}" if facts["PASSWORD"] else "")
    if str(facts["HOST"]).startswith("/"):
        return f"postgresql://{login}@/{facts['NAME']}?host={quote(str(facts['HOST']))}"
    port = f":{facts['PORT']}" if facts["PORT"] else ""
    return f"postgresql://{login}@{facts['HOST']}{port}/{facts['NAME']}"


@contextlib.contextmanager
def private_valkey() -> Iterator[Places]:
    """A Valkey that nobody else uses. It may be stopped and started with `valkey.stop` and `valkey.start`."""
    with tempfile.TemporaryDirectory(prefix="lendconsole-") as name:
        state = Path(name)
        places = Places(state=state, home=state, run=state / "run")
        valkey.start(places)
        try:
            yield places
        finally:
            valkey.stop(places)


def environment(places: Places, *, mail_port: int, base_url: str = "http://localhost", **more: str) -> dict[str, str]:
    """Set as in production, so that errors look as they do there; only https is missing. `more` wins."""
    own = {
        "DEBUG": "0",
        **SECRETS,
        "ALLOWED_HOSTS": "localhost",
        "SECURE_SSL_REDIRECT": "0",
        "STATIC_MANIFEST": "0",
        "DEFAULT_FROM_EMAIL": "lendconsole <no-reply@lendconsole.example>",
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": database_url(),
        "REDIS_URL": f"unix://{places.valkey_socket}?db=1",
        "CELERY_BROKER_URL": f"redis+socket://{places.valkey_socket}?virtual_host=0",
        "CELERY_BEAT_SCHEDULE_FILENAME": str(places.state / "beat"),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "BASE_URL": base_url,
        "ASSIGNMENT_MAIL_HOLD_SECONDS": "1",
    }
    return {**os.environ, **own, **more}


class Process:
    """One of the program's processes, in a process group of its own so that its children end with it."""

    def __init__(
        self, name: str, command: Sequence[str], env: dict[str, str], directory: Path, pass_fds: Sequence[int] = ()
    ) -> None:
        self.name, self._command, self._env, self._pass_fds = name, list(command), env, tuple(pass_fds)
        self.log = directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=settings.BASE_DIR,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=self._pass_fds,
            )
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait_for(self, text: str) -> Process:
        """Until its log says so."""
        deadline = time.monotonic() + START_SECONDS
        while text not in self.log.read_text(errors="replace"):
            self.check(time.monotonic() < deadline)
            time.sleep(0.05)
        return self

    def check(self, fine: bool = True) -> None:
        if not fine or not self.is_running:
            raise AssertionError(f"The {self.name} process is not well. The end of its log:\n{tail(self.log, 40)}")

    def terminate(self) -> None:
        """Ask it to end in good order."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def stop(self) -> None:
        """In good order; what is left after a while is killed."""
        if self._process is None:
            return
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """`kill -9` for the whole group."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


@dataclass
class Stack:
    """The running program. `url` is its address, `mail` what its SMTP server took."""

    url: str
    mail: MailServer
    places: Places
    web: Process
    worker: Process
    beat: Process
    _content_types: list[Any] = field(default_factory=list)

    def start(self) -> None:
        """One after the other: three start-ups at once take longer."""
        self._content_types = content_types()
        self.web.start()
        self._wait_for_web()
        self.worker.start().wait_for("ready.")
        self.beat.start()

    def stop(self) -> None:
        processes = (self.beat, self.worker, self.web)
        for process in processes:
            process.terminate()
        for process in processes:
            process.stop()

    def make_ready(self) -> None:
        """Before a test: another one may have emptied tables whose rows the processes remember."""
        if content_types() != self._content_types:
            self.stop()
            self.start()
        for process in (self.web, self.worker, self.beat):
            process.check()

    def clear(self) -> None:
        """After a test: rows, sessions, limits and what was cached. The queue goes on."""
        empty_tables()
        with contextlib.closing(redis.Redis(unix_socket_path=str(self.places.valkey_socket), db=1)) as cache:
            cache.flushdb()

    def _wait_for_web(self) -> None:
        host, port = self.url.removeprefix("http://").split(":")
        deadline = time.monotonic() + START_SECONDS
        status = 0
        while status != http.HTTPStatus.OK:
            self.web.check(time.monotonic() < deadline)
            status = _status(host, int(port))


@contextlib.contextmanager
def running_stack() -> Iterator[Stack]:
    """The program on the test database, which must exist."""
    with private_valkey() as places, mail_server() as (mail, mail_port), socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        url = f"http://localhost:{listener.getsockname()[1]}"
        env = environment(places, mail_port=mail_port, base_url=url)
        # Gunicorn takes over a socket that listens already: nobody else can get the port in between.
        web = [*GUNICORN, "--bind", f"fd://{listener.fileno()}", "--no-control-socket"]
        stack = Stack(
            url=url,
            mail=mail,
            places=places,
            web=Process("web", web, env, places.state, pass_fds=[listener.fileno()]),
            worker=Process("worker", WORKER, env, places.state),
            beat=Process("beat", BEAT, env, places.state),
        )
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


def _status(host: str, port: int) -> int:
    client = http.client.HTTPConnection(host, port, timeout=5)
    try:
        client.request("GET", "/health/", headers={"Host": "localhost"})
        return client.getresponse().status
    except (OSError, http.client.HTTPException):
        time.sleep(0.05)
        return 0
    finally:
        client.close()


def content_types() -> list[Any]:
    return list(ContentType.objects.order_by("pk").values_list("pk", "app_label", "model"))


def empty_tables() -> None:
    """As the owner. A worker in the middle of something holds locks for a moment, so it is tried until it goes through."""
    deadline = time.monotonic() + START_SECONDS
    with as_owner():
        while True:
            try:
                _truncate()
            except OperationalError as error:
                patient = isinstance(error.__cause__, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)
                if not patient or time.monotonic() > deadline:
                    raise
            else:
                return


def _truncate() -> None:
    names = sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT_TABLES)
    tables = ", ".join(connection.ops.quote_name(name) for name in names)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_append_only")
        cursor.execute(f"TRUNCATE {tables}")
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER audit_append_only")


class Mailbox:
    """What has arrived since the box was opened."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._before = len(server.arrived)

    @property
    def messages(self) -> list[Message]:
        return self._server.arrived[self._before :]

    def for_(self, address: str) -> list[Message]:
        return [message for message in self.messages if recipient_of(message) == address]

    def wait_for(self, address: str, subject: str, seconds: float = MAIL_SECONDS) -> Message:
        """The newest e-mail to the address with these words in its subject."""
        deadline = time.monotonic() + seconds
        while True:
            found = [message for message in self.for_(address) if subject in subject_of(message)]
            if found:
                return found[-1]
            if time.monotonic() > deadline:
                arrived = [f"{message['To']}: {subject_of(message)}" for message in self.messages]
                raise AssertionError(f"No e-mail {subject!r} to {address} in {seconds} s. There are: {arrived}")
            time.sleep(0.1)


def recipient_of(message: Message) -> str:
    """The address, also where a long name folded the line."""
    return parseaddr("".join(str(message["To"]).splitlines()))[1]


def subject_of(message: Message) -> str:
    return str(make_header(decode_header(message["Subject"])))


def text_of(message: Message, kind: str = "plain") -> str:
    """The text part, or the HTML part with kind="html"."""
    for part in message.walk():
        if part.get_content_type() == f"text/{kind}":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content.decode(part.get_content_charset() or "utf-8")
    raise AssertionError(f"There is no {kind} part.")
