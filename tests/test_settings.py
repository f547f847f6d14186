"""Settings come from the environment, are all written down, and refuse an installation without secrets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "SECRET_KEY": "a" * 50,
    "FIELD_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "FIELD_FINGERPRINT_KEY": "b" * 50,
    "ALLOWED_HOSTS": "console.example.com",
    "BASE_URL": "https://console.example.com",
    "DATABASE_URL": "postgresql://lendconsole_app:x@db/lendconsole",
    "REDIS_URL": "redis://valkey:6379/1",
    "EMAIL_URL": "smtp://mail.example.com:25",
    "DEFAULT_FROM_EMAIL": "no-reply@example.com",
}
NOT_SETTINGS = {
    "PORT",
    "DEVSTACK_DIR",
    "SITE_ADDRESS",
    "DATABASE_PASSWORD",
    "DATABASE_OWNER_PASSWORD",
    "POSTGRES_PASSWORD",
    "VALKEY_PASSWORD",
}


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG"}}
    command = [sys.executable, "-c", "import lendconsole.settings"]
    return subprocess.run(command, cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True, check=False)


def test_every_variable_stands_in_the_example_file() -> None:
    source = (ROOT / "lendconsole" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|secret|database)\(\s*"([A-Z_]+)"', source))
    written = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read | NOT_SETTINGS == written


def test_a_complete_environment_starts() -> None:
    result = start(**PRODUCTION)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "missing", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "FIELD_FINGERPRINT_KEY", "BASE_URL", "EMAIL_URL"]
)
def test_a_missing_secret_or_address_refuses_to_start(missing: str) -> None:
    result = start(**{key: value for key, value in PRODUCTION.items() if key != missing})
    assert result.returncode != 0
    assert missing in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("SECRET_KEY", "development-only-secret-key-never-used-outside-debug"),
        ("FIELD_ENCRYPTION_KEYS", "ZGV2ZWxvcG1lbnQtb25seS1rZXktMzItYnl0ZXMtISE="),
        ("FIELD_FINGERPRINT_KEY", "development-only-fingerprint-key-never-used"),
    ],
)
def test_a_development_secret_refuses_to_start(name: str, default: str) -> None:
    assert name in start(**{**PRODUCTION, name: default}).stderr


def test_a_key_that_cannot_encrypt_refuses_to_start() -> None:
    assert "Fernet" in start(**{**PRODUCTION, "FIELD_ENCRYPTION_KEYS": "c" * 40}).stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "foo"),
        ("DATABASE_URL", "mysql://app:secret-word@db/lendconsole"),
        ("DATABASE_URL", "postgresql://app:secret-word@db:port/lendconsole"),
        ("DATABASE_URL", "postgresql://app:secret-word@db"),
        ("DATABASE_OWNER_URL", "secret-word"),
        ("REDIS_URL", "foo"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "http://valkey:6379/1"),
        ("REDIS_URL", "redis://:secret-word@valkey:port/1"),
        ("CELERY_BROKER_URL", "valkey:6379"),
        ("EMAIL_URL", "foo"),
        ("EMAIL_URL", "smtp://"),
        ("EMAIL_URL", "mailto:secret-word@example.com"),
        ("EMAIL_URL", "smtp://mail:secret-word"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_in_a_sentence(name: str, value: str) -> None:
    result = start(**{**PRODUCTION, name: value})
    last = result.stderr.splitlines()[-1]
    assert result.returncode != 0
    assert re.search(rf": {name} is not an address that can be read. It looks like \S+://\S+\.$", last)
    assert "secret-word" not in result.stderr
