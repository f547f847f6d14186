"""Where the embedded servers keep their data and their sockets."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero and PostgreSQL's ".lock" included.
LONGEST_SOCKET_PATH: Final = 100
# PostgreSQL reads a list of directories, the URLs have their own special characters: anything else moves away.
PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_./+-]+")
ROOTS_HOME: Final = Path("/var/lib/devstack")


@dataclass(frozen=True)
class Places:
    """`state` belongs to who starts the servers, `home` can be reached by the user that PostgreSQL runs as."""

    state: Path
    home: Path
    run: Path

    @property
    def postgres_data(self) -> Path:
        """Named after the major version: the next one cannot read it."""
        return self.home / "pg18"

    @property
    def postgres_socket(self) -> Path:
        return self.run / ".s.PGSQL.5432"

    @property
    def valkey_data(self) -> Path:
        return self.state / "valkey"

    @property
    def valkey_socket(self) -> Path:
        return self.run / "valkey.sock"


def locate(state: Path, *, as_root: bool) -> Places:
    """The same answer in every process, before and after the directories exist."""
    tag = hashlib.sha256(f"{os.geteuid()}:{state}".encode()).hexdigest()[:12]
    if as_root and closed_to_others(state.parent):
        home = ROOTS_HOME / tag
        return Places(state=state, home=home, run=home / "run")
    run = state / "run"
    if not _fits(run):
        run = ROOTS_HOME / tag / "run" if as_root else Path("/tmp") / f"devstack-{os.geteuid()}-{tag}"  # noqa: S108  # checked for its owner before use
    return Places(state=state, home=state, run=run)


def closed_to_others(path: Path) -> bool:
    """Started by root, PostgreSQL runs as another user, who cannot walk through a 0700 home."""
    return any(part.exists() and not part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _fits(run: Path) -> bool:
    longest = str(run / ".s.PGSQL.5432.lock")
    return len(longest.encode()) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(longest) is not None
