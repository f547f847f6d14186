"""The suite runs on the embedded servers as the restricted login, so that row-level security is on in every test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import TransactionTestCase
from django.test.utils import setup_databases, teardown_databases

from lendconsole.devstack import bootstrap
from lendconsole.tenancy import as_owner
from tests.world import World, build_world


def pytest_configure(config: pytest.Config) -> None:
    """Before Django connects, in the controller and in every worker."""
    bootstrap.bring_up()
    settings.DEVELOPMENT = False  # its pages are not there in production
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns where it is missing, here where nothing is collected


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: Any,
    django_db_keepdb: bool,
    django_db_createdb: bool,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """Created, migrated and dropped by the owner of the tables; the tests log in as the restricted role."""
    keep = django_db_keepdb and not django_db_createdb
    with django_db_blocker.unblock(), as_owner():
        databases = setup_databases(
            verbosity=request.config.option.verbose, interactive=False, keepdb=keep, serialized_aliases=[]
        )
    yield
    if not keep:
        with django_db_blocker.unblock(), as_owner():
            teardown_databases(databases, verbosity=request.config.option.verbose)


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner() -> Iterator[None]:
    """TransactionTestCase truncates tables, which only their owner may, and the audit log refuses even that."""
    original = TransactionTestCase._fixture_teardown

    def teardown(self: TransactionTestCase) -> None:
        with as_owner() as owner:
            with owner.cursor() as cursor:
                cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_append_only")
            original(self)
            with owner.cursor() as cursor:
                cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER audit_append_only")

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = original


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _own_cache(settings: Any) -> None:
    """Nobody's counters and limits are another test's, also of those that run beside it."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid.uuid4().hex}}


@pytest.fixture
def world(db: None) -> World:
    """Two lenders, two offices each, one member per built-in role, a few customers; see tests/world.py."""
    return build_world()
