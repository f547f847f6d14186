"""Roles and database on the embedded server: the one place that logs in as its superuser.

The same as deploy/postgres/init.sh makes in production, without passwords: the socket's directory is the access control.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

import psycopg
import psycopg.sql
from django.conf import settings

from lendconsole import devstack
from lendconsole.devstack import valkey

DATABASE: Final = "lendconsole"
OWNER: Final = "lendconsole_owner"

# CREATE EXTENSION needs a superuser for some of these; databases made later, for tests, copy template1.
EXTENSIONS: Final = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS btree_gin;"
    " CREATE EXTENSION IF NOT EXISTS btree_gist"
)
ROLES: Final = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lendconsole_owner') THEN CREATE ROLE lendconsole_owner; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lendconsole_app') THEN CREATE ROLE lendconsole_app; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lendconsole_search') THEN CREATE ROLE lendconsole_search; END IF;
END $$;
ALTER ROLE lendconsole_owner LOGIN CREATEDB NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION;
ALTER ROLE lendconsole_app LOGIN NOCREATEDB NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION;
ALTER ROLE lendconsole_search NOLOGIN NOCREATEDB NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION;
GRANT lendconsole_search TO lendconsole_owner WITH INHERIT TRUE, SET TRUE;
"""
RIGHTS: Final = """
REVOKE CONNECT, TEMPORARY ON DATABASE lendconsole FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE lendconsole TO lendconsole_app;
"""
# Kept as the database's comment, so that the usual start asks one question; changed SQL is carried out again.
STAMP: Final = "prepared " + hashlib.sha256((EXTENSIONS + ROLES + RIGHTS).encode()).hexdigest()[:16]
LOCK: Final = 2026112201


def bring_up() -> None:
    """Start and prepare what the environment does not replace by DATABASE_URL or REDIS_URL. Safe in any number of processes.

    Loading the settings first brings a .env file into the environment, and lets them refuse an unconfigured production.
    """
    _ = settings.DEBUG
    database = not _given("DATABASE_URL")
    devstack.ensure(database=database, redis=not _given("REDIS_URL"))
    if database:
        prepare_database()


def replaces_nothing() -> bool:
    """Whether both embedded servers are in use: no address in the environment stands in for one of them."""
    _ = settings.DEBUG
    return not _given("DATABASE_URL") and not _given("REDIS_URL")


def prepare_database() -> None:
    """The two logins, the search role, the extensions and the empty database."""
    with psycopg.connect(devstack.database_url(), autocommit=True) as connection:
        if _stamp(connection) == STAMP:
            return
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if _stamp(connection) == STAMP:
            return
        connection.execute(ROLES)
        _create_extensions("template1")  # closed again at once: CREATE DATABASE wants template1 to itself
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute("CREATE DATABASE lendconsole OWNER lendconsole_owner")
        _create_extensions(DATABASE)
        connection.execute(RIGHTS)
        connection.execute(psycopg.sql.SQL("COMMENT ON DATABASE lendconsole IS {}").format(STAMP))


def reset() -> None:
    """Empty the embedded servers; the servers themselves stay up."""
    devstack.ensure()
    with psycopg.connect(devstack.database_url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS lendconsole WITH (FORCE)")
    prepare_database()
    valkey.empty(devstack.PLACES)


def _given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _stamp(connection: psycopg.Connection) -> str | None:
    row = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [DATABASE]
    ).fetchone()
    return row[0] if row else None


def _create_extensions(database: str) -> None:
    with psycopg.connect(devstack.database_url(name=database), autocommit=True) as connection:
        connection.execute(EXTENSIONS)
