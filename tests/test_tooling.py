"""What make, the demo and the production files promise."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lendconsole import demo_server, devstack
from lendconsole.demo_server import DemoError, Service
from lendconsole.devstack import bootstrap as devstack_bootstrap
from lendconsole.devstack.processes import command_line
from tools import bootstrap

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


@pytest.mark.parametrize("text", ["", "abc", "0", "65536", "-1", "80 90", "٣٠٠٠"])
def test_what_is_not_a_port_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SystemExit, match="such as PORT=8123"):
        bootstrap.check_port(text)


def test_a_port_in_use_is_told_and_a_free_one_passes() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        with pytest.raises(SystemExit, match=f"Port {port} is in use"):
            bootstrap.check_port(port)
    bootstrap.check_port(port)


def test_locked_versions_agree_carry_hashes_and_name_no_address() -> None:
    pins: dict[str, str] = {}
    for path in bootstrap.LOCKS:
        text = path.read_text()
        assert "://" not in text
        assert "--index-url" not in text
        found = PIN.findall(text)
        assert found
        assert len(found) <= text.count("--hash=sha256:")
        for name, version in found:
            assert pins.setdefault(name, version) == version, name


def test_a_changed_lock_file_is_installed_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock, stamp = tmp_path / "base.txt", tmp_path / "installed"
    monkeypatch.setattr(bootstrap, "LOCKS", [lock])
    monkeypatch.setattr(bootstrap, "STAMP", stamp)
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    lock.write_text("a==1")
    assert not bootstrap.up_to_date()
    stamp.write_text(bootstrap.fingerprint())
    assert bootstrap.up_to_date()
    lock.write_text("a==2")
    assert not bootstrap.up_to_date()


def test_no_secret_of_the_compose_file_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    names = set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY)\w*)", text))
    assert names >= {"SECRET_KEY", "DATABASE_PASSWORD", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"}
    for name in names:
        assert f"${{{name}:?" in text, f"{name} must be demanded"
        assert f"${{{name}:-" not in text


def test_production_and_development_make_the_same_roles_and_extensions() -> None:
    production = (ROOT / "deploy/postgres/init.sql").read_text()
    development = f"{devstack_bootstrap.ROLES}{devstack_bootstrap.RIGHTS};{devstack_bootstrap.EXTENSIONS}"
    for pattern in (r"CREATE ROLE (\w+)", r"CREATE EXTENSION IF NOT EXISTS (\w+)", r"(GRANT [^;]+)", r"(REVOKE [^;]+)"):
        assert set(re.findall(pattern, production)) == set(re.findall(pattern, development)), pattern


def test_the_service_that_ended_is_named_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("the broker is gone\n")
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait()
    with pytest.raises(DemoError, match=r"The worker process ended with exit code 3.*\n.*the broker is gone"):
        demo_server.check([Service("worker", process, log)])


def test_ending_leaves_nothing_of_a_process_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo_server, "STOP_SECONDS", 0.3)
    monkeypatch.setattr(demo_server, "LOGS", tmp_path)
    script = "trap '' TERM; sleep 60 & echo $!; wait; wait"
    service = demo_server.launch("web", ["sh", "-c", script])
    deadline = time.monotonic() + 10
    while not (text := service.log.read_text()).strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)

    demo_server.end([service])

    assert service.process.returncode is not None
    while "sleep 60" in command_line(int(text)):  # killed, and soon gone
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_demo_of_the_checkout_is_told_where_the_first_one_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(devstack, "STATE", tmp_path)
    monkeypatch.setattr(demo_server, "LOGS", tmp_path / "logs")
    with (
        demo_server.only_demo("http://localhost:8123/"),
        pytest.raises(DemoError, match="at http://localhost:8123/"),
        demo_server.only_demo("http://localhost:8124/"),
    ):
        pass
    with demo_server.only_demo("http://localhost:8124/"):
        assert (tmp_path / "demo").read_text() == "http://localhost:8124/"


def test_a_python_that_is_too_old_is_told_by_make(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    for name in ("PYTHON", "MAKEFLAGS", "MAKEOVERRIDES"):
        environment.pop(name, None)
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
    finished = subprocess.run(["make", "setup"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode != 0
    assert "needs CPython 3.11 or newer" in finished.stderr
