"""A letter that does what its payload says: arrive, refuse, raise, or take its worker down."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from django.db import connection

from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail

TEMPLATES = Path(__file__).parent / "templates"
PLAIN = "tests/plain"


@letter(PLAIN, label="Test letter")
def plain(email: OutgoingEmail) -> dict[str, Any]:
    payload = email.payload
    if reason := payload.get("undeliverable"):
        raise Undeliverable(reason)
    if payload.get("broken"):
        raise KeyError("secret of ada@example.com")
    if payload.get("breaks_the_transaction"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
    if payload.get("kills_the_worker"):
        os._exit(9)
    time.sleep(payload.get("seconds", 0))
    return {"link": absolute_url("/o/kudi/")}
