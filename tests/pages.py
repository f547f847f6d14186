"""What the tests of pages share."""

from __future__ import annotations

import re
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

OF_THE_TESTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "SELECT set_config('app.organization_id', ''")


def text(response: Any) -> str:
    """What a person reads, without tags and line breaks."""
    page = response.content.decode().replace("<wbr>", "")
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def statements(client: Client, url: str, **options: Any) -> list[str]:
    """The SQL of a request.

    Without what only the tests' own transaction around it brings (savepoints, leaving the organization by hand), and
    without session reads that the cache missed.
    """
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url, **options)
    assert response.status_code == 200, url
    return [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(OF_THE_TESTS) and "django_session" not in query["sql"]
    ]
