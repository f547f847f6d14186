from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from accounts.models import User
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def _own_limits(settings: Any, _fast_passwords: None) -> None:
    """Tries are counted in the cache, which outlives a test."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid.uuid4().hex}}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def user(db: None) -> User:
    made: User = UserFactory(email="amaka@example.com", first_name="Amaka", last_name="Obi")
    return made
