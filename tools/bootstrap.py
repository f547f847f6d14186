"""Makes .venv and installs the locked dependencies. Run by make with any Python from 3.11 on; standard library only.

Does nothing when the lock files are the ones that were installed last. Every file is checked against its hash, and
no index is named here: uv gets what pip is set up for on this machine, and where that is not enough pip does the work.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in ("uv", "base", "dev", "embedded")]
# pip's option, and what uv calls the same
TRANSLATED = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", help="refuse when it is in use, before anything else is done")
    arguments = parser.parse_args()
    if arguments.port is not None:
        check_port(arguments.port)
    lock = os.open(LOCKS[0].parent, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not up_to_date():
        install()


def check_port(text: str) -> None:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit(f"PORT={text} is not a port. Give a number from 1 to 65535, such as PORT=8123.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except PermissionError:
            sys.exit(f"Port {text} is not open to you. Choose a higher one, such as PORT=8123.")
        except OSError:
            sys.exit(f"Port {text} is in use. Stop the program that uses it, or choose another: PORT=8123 make demo")


def fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in LOCKS:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def up_to_date() -> bool:
    if not STAMP.is_file() or STAMP.read_text() != fingerprint():
        return False
    return runs("-c", "")


def runs(*arguments: str) -> bool:
    """Whether the environment's Python is there and works; the one it was made from may be gone."""
    return PYTHON.exists() and subprocess.run([PYTHON, *arguments], check=False, capture_output=True).returncode == 0


def install() -> None:
    STAMP.unlink(missing_ok=True)
    if not runs("-m", "pip", "--version"):
        make_environment()
    print("Installing the locked dependencies ...", flush=True)
    files = [part for path in LOCKS for part in ("-r", str(path))]
    if not install_with_uv(files):
        print("uv could not; pip does it.", flush=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", *files], check=True)
    STAMP.write_text(fingerprint())


def make_environment() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            f"{sys.executable} cannot make virtual environments: its venv module is missing. "
            "Install it (on Debian and Ubuntu the package python3-venv), or name another Python: make PYTHON=..."
        )
    print(f"Making {VENV.name} with Python {sys.version.split()[0]} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)


def install_with_uv(files: list[str]) -> bool:
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        LOCKS[0],
    ]
    if subprocess.run(pip, check=False).returncode:
        return False
    uv: list[str | Path] = [VENV / "bin" / "uv", "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON]
    return subprocess.run([*uv, *files[1::2]], check=False, env=uv_environment()).returncode == 0


def uv_environment() -> dict[str, str]:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    if "UV_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["UV_INDEX_URL"])
    for option, value in pip_options().items():
        if option in TRANSLATED:
            environment.setdefault(TRANSLATED[option], value)
    return environment


def pip_options() -> dict[str, str]:
    """What pip reads from its files and from the environment; the environment is listed first and wins."""
    listing = subprocess.run([PYTHON, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True)
    options: dict[str, str] = {}
    for line in listing.stdout.splitlines():
        key, _, value = line.partition("=")
        options.setdefault(key.rpartition(".")[2], "".join(shlex.split(value)[:1]))
    return options


if __name__ == "__main__":
    main()
