"""What both servers need: calling a program as the right user, directories with the right owner, talking over a socket."""

from __future__ import annotations

import enum
import os
import pwd
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path


class DevstackError(RuntimeError):
    """The embedded servers cannot be started; the sentence says what to do."""


class Health(enum.Enum):
    DOWN = "down"
    BUSY = "starting or stopping"
    READY = "ready"


def as_root() -> bool:
    return os.geteuid() == 0


def run(command: Sequence[str | Path], *, user: pwd.struct_passwd | None = None, timeout: float = 120) -> str:
    """The output goes to a file: a daemon inherits it, and a pipe would be held open for as long as it lives.

    The environment is made anew, because PGPORT, PGDATA or LC_ALL of the caller would change what the server does,
    and so that a daemon keeps none of the caller's secrets.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    with tempfile.TemporaryFile("w+") as output:
        finished = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=timeout,
            env=environment,
            umask=0o077,
            cwd="/",
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            check=False,
        )
        output.seek(0)
        text = output.read()
    if finished.returncode:
        raise DevstackError(f"{Path(command[0]).name} ended with {finished.returncode}.\n{text}")
    return text


def open_directory(path: Path) -> None:
    """Root's directories can be walked through, so that PostgreSQL's user reaches its own below them."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if as_root():
            path.chmod(0o711)
    except OSError as problem:
        raise DevstackError(f"{path} cannot be made: {problem.strerror}. Set DEVSTACK_DIR to another place.") from None


def private_directory(path: Path, user: pwd.struct_passwd | None = None) -> None:
    """0700 and ours. It may lie in /tmp, where somebody else could have put something under the same name."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    facts = path.lstat()
    owners = {os.geteuid(), user.pw_uid if user else os.geteuid()}
    if path.is_symlink() or facts.st_uid not in owners:
        raise DevstackError(f"{path} belongs to somebody else. Remove it, or set DEVSTACK_DIR to another place.")
    path.chmod(0o700)
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def ask(path: Path, message: bytes, size: int = 1024) -> bytes:
    """The first bytes that the server behind the socket answers, none when nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(message)
            return connection.recv(size)
    except OSError:
        return b""


def recorded_pid(path: Path) -> int | None:
    """What the first line of a pid file says; nothing when it is missing or half written."""
    try:
        first = path.read_text(errors="replace").partition("\n")[0].strip()
    except OSError:
        return None
    return int(first) if first.isdigit() else None


def command_line(pid: int) -> str:
    """The arguments of a living process; empty for a dead one and for a zombie."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listing = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return listing.stdout


def tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
