"""Times of pages, of the same statements without Django, and of whatever else; medians in milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connection, connections
from django.test import Client

from accounts.models import User

GROWING: Final = (
    "customers_customer", "customers_assignment", "customers_customeruserobjectpermission", "audit_auditevent",
    "notifications_outgoingemail",
)  # fmt: skip
# Of a table with a few rows every plan reads all.
_BIG: Final = "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' AND reltuples > 5000"
Statement = tuple[str, Any]


def median_ms(action: Callable[[], object], times: int) -> float:
    """After one run that does not count."""
    action()
    spans = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        spans.append((time.perf_counter() - start) * 1000)
    return statistics.median(spans)


def page(client: Client, url: str, **headers: str) -> Callable[[], None]:
    """The whole request in this process: middleware, view, template."""

    def get() -> None:
        response = client.get(url, headers=headers)
        if response.status_code != 200:
            raise RuntimeError(f"{url} answered {response.status_code}")

    return get


def statements_of(action: Callable[[], object]) -> list[Statement]:
    """What the action asks of the database, once its caches are warm."""
    action()
    heard: list[Statement] = []

    def listen(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        heard.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        action()
    return heard


@contextmanager
def bare(login: str = "default") -> Iterator[psycopg.Connection]:
    """A connection without Django, as the console's login or as the owner of the tables."""
    facts = connections[login].get_connection_params()
    facts = {name: facts[name] for name in ("host", "port", "user", "password", "dbname") if facts.get(name)}
    with psycopg.connect(**facts, cursor_factory=psycopg.ClientCursor) as server:
        yield server


def replay(server: psycopg.Connection, statements: list[Statement]) -> Callable[[], None]:
    """The same statements, in one transaction as in a request, with every row fetched."""

    def run() -> None:
        with server.transaction(), server.cursor() as cursor:
            for sql, params in statements:
                cursor.execute(sql, params)
                if cursor.description:
                    cursor.fetchall()

    return run


def scanned_tables(statements: list[Statement]) -> set[str]:
    """The growing tables that a plan of these statements reads from end to end."""
    found: set[str] = set()
    with bare() as server, server.transaction(), server.cursor() as cursor:
        for sql, params in statements:
            if not sql.lstrip("( ").upper().startswith("SELECT") or "set_config" in sql:
                cursor.execute(sql, params)
                continue
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            for (plans,) in cursor.fetchall():
                found |= set(_scans(plans[0]["Plan"]))
        cursor.execute(_BIG, [list(found & set(GROWING))])
        return {name for (name,) in cursor.fetchall()}


def _scans(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", []):
        yield from _scans(child)


def signed_in(email: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=email), backend=settings.AUTHENTICATION_BACKENDS[0])
    return client
