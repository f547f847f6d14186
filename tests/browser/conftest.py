"""Browser tests: Chromium against the running program. They need committed rows, so each empties the tables after itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.db import connections
from playwright.sync_api import Browser, expect, sync_playwright

from accounts.models import User
from lendconsole.tenancy import organization_context
from tests import factories
from tests.browser.inspection import Inspection
from tests.browser.person import Person
from tests.stack import SECRETS, Mailbox, Stack, running_stack
from tests.world import Lender, World, build_world

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000
Newcomer = Callable[..., Person]

expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """All of them are marked, and come last: the worker beside them would take up what other tests leave in the outbox."""
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in here:
        item.add_marker(pytest.mark.browser)
    yield
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail(
            "Chromium is missing: name one with CHROMIUM=/path, or leave these tests out with -m 'not browser'."
        )
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    # Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
    before, os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"), "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *as_root])
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="session")
def _stack(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stack]:
    with django_db_blocker.unblock(), running_stack() as stack:
        yield stack
        connections.close_all()


@pytest.fixture
def stack(_stack: Stack, settings: Any, django_db_blocker: Any) -> Iterator[Stack]:
    """The running program on empty tables. The rows a test makes are seen by it at once, links of the test's are good there."""
    settings.BASE_URL = _stack.url
    for name, value in SECRETS.items():
        setattr(settings, name, [value] if name == "FIELD_ENCRYPTION_KEYS" else value)
    with django_db_blocker.unblock():
        _stack.make_ready()
        yield _stack
        _stack.clear()


@pytest.fixture(scope="session")
def password_hash() -> str:
    """One for everybody: the program hashes slowly, as it should."""
    return make_password(factories.PASSWORD, hasher=Argon2PasswordHasher())


@pytest.fixture
def world(stack: Stack, password_hash: str) -> World:
    world = build_world()
    User.objects.update(password=password_hash)
    return world


@pytest.fixture
def kudi(world: World) -> Lender:
    return world.kudi


@pytest.fixture
def inside(kudi: Lender) -> Iterator[Lender]:
    """For tests that look into the first lender's rows."""
    with organization_context(kudi.organization.pk):
        yield kudi


@pytest.fixture
def mailbox(stack: Stack) -> Mailbox:
    return Mailbox(stack.mail)


@pytest.fixture
def browser(chromium: Browser, stack: Stack) -> Iterator[Newcomer]:
    """Gives somebody a fresh browser. What went wrong in any of them fails the test at its end."""
    people: list[Person] = []

    def open_browser(**options: Any) -> Person:
        people.append(Person(chromium, stack.url, **options))
        return people[-1]

    yield open_browser
    for person in people:
        person.leave()
    assert [problem for person in people for problem in person.watch.problems] == []


@pytest.fixture
def inspection(tmp_path: Path) -> Iterator[Inspection]:
    """What it found wrong on the pages it was shown fails the test at its end."""
    inspection = Inspection(tmp_path / "pages")
    yield inspection
    inspection.end()
