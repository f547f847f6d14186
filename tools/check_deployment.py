"""`manage.py check --deploy` under production's settings: no warning may be left. The secrets are made up for this run."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "FIELD_FINGERPRINT_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "console.example.com",
    "BASE_URL": "https://console.example.com",
    "DATABASE_URL": "postgresql://lendconsole_app@localhost/lendconsole",
    "DATABASE_OWNER_URL": "postgresql://lendconsole_owner@localhost/lendconsole",
    "REDIS_URL": "redis://localhost/1",
    "EMAIL_URL": "smtp://localhost:25",
    "DEFAULT_FROM_EMAIL": "no-reply@example.com",
    "TRUSTED_PROXY_COUNT": "1",
}

command: list[str | Path] = [sys.executable, ROOT / "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
sys.exit(subprocess.run(command, check=False, env={**os.environ, **PRODUCTION}).returncode)
