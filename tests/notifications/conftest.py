from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.services import queue_email
from tests.letters import PLAIN, TEMPLATES
from tests.world import World

Queue = Callable[..., OutgoingEmail]


@pytest.fixture(autouse=True)
def _test_templates(settings: Any) -> None:
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(TEMPLATES)
    settings.TEMPLATES = templates
    settings.KEEP_SENT_BODIES = False
    settings.BASE_URL = "https://console.example.com"
    settings.DEFAULT_FROM_EMAIL = "Console <no-reply@example.com>"


@pytest.fixture
def inside(world: World) -> Iterator[World]:
    """Inside the first lender."""
    with organization_context(world.kudi.organization.pk):
        yield world


@pytest.fixture
def queue() -> Queue:
    """Queues the test letter to Ada; `key` names it, further arguments are the payload or those of queue_email."""

    def write(key: str = "once", *, payload: dict[str, Any] | None = None, **options: Any) -> OutgoingEmail:
        options = {"recipient": "ada@example.com", "recipient_label": "Ada Obi", **options}
        return queue_email(kind=PLAIN, dedupe_key=key, payload={"name": "Ada", **(payload or {})}, **options)

    return write
