from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import time_machine

from accounts.models import User
from tests.factories import UserFactory


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def user(db: None) -> User:
    made: User = UserFactory(email="amaka@example.com", first_name="Amaka", last_name="Obi")
    return made
