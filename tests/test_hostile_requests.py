"""Hostile values in every parameter, field and header: no answer is a crash, and what is refused leaves nothing behind.

Which parameters and fields there are is learned from the program: what it looks for in a plain request is what the
hostile ones carry. The values take turns, so that all of them come by everywhere in a moderate number of requests.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from http.cookies import SimpleCookie
from itertools import cycle, islice
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.matrix import EVERYBODY, ROWS, Row
from tests.test_permission_matrix import FORM, address, furnished, payload, state, undone
from tests.world import World

VALUES: Final = (
    *("%00", "a%00b", "%ED%A0%80", "%FF%FE", "%", "%0D%0ASet-Cookie:+x%3D1", "%1B%5B31m", "%20"),
    *(str(2**31), str(2**63 - 1), str(2**63), "9" * 31, "-1", "0", "1.5", "1_0", "1e400", "NaN", "-Infinity"),
    *("0000-00-00", "99999-01-01", "0001-01-01", "9999-12-31", "2026-02-30"),
    *map(quote, ("", "٣", "²", "٢٠٢٦-٠١-٠١", "🙂" * 99, "' OR 1=1 -- \\ %s {0} <b>", '{"a": [1]}', "1,2,-3,,x:y,:,1:")),
    *("../../etc/passwd", "x" * 9_000),
)
"""As they stand in an address or a form: some are no text at all."""
TURNS: Final = int(os.environ.get("HOSTILE_TURNS", "1"))
"""How many hostile requests each address gets with all its parameters at once. As many as there are values is thorough, and takes long."""
ONE_BY_ONE: Final = 8
"""So many fields of a form are hostile alone; more have only forms of many fields of one kind."""
BODIES: Final = (
    ("application/json", b'{"a":'),
    ("application/x-www-form-urlencoded; charset=nonsense", b"reason=x"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"reason=x"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=\xe9", b"x"),
    ("multipart/form-data; boundary=a", b'--a\r\nContent-Disposition: form-data; name="x"\r\n\r\n'),
    (
        "multipart/form-data; boundary=a",
        b'--a\r\nContent-Disposition: form-data; name="file"; filename="\x00\xff.csv"\r\n\r\n\x00\xff\r\n--a--\r\n',
    ),
    ("a" * 10_000, b"reason=x"),
    ("", b"reason=x"),
    (FORM, b"reason=" + b"x" * 1_000_000),
)
HEADERS: Final = {
    "Accept": ("\xe9", ";q="),
    "Accept-Language": ("garbage;q=x", "*;q=1e9", "\xe9", "-" * 600),
    "Content-Length": ("-1", "x", "9" * 30),
    "Cookie": ("messages=garbage; csrftoken=x", "sessionid=\x00; __Host-sessionid=x; organization=\xe9", "=;;="),
    "Host": ("\xe9", "a b", "[::1", "evil.example", "localhost:" + "9" * 9),
    "HX-Current-URL": ("\xe9", "http://[::1", "javascript:1"),
    "HX-Target": ("\xe9", "results", "dialog-content"),
    "HX-Trigger-Name": ("\xe9",),
    "If-Modified-Since": ("garbage", "Thu, 99 Foo 99999 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "9" * 500),
    "If-None-Match": ("garbage", '"' + "x" * 9_000),
    "Origin": ("null", "\xe9", "http://["),
    "Range": ("bytes=-1", "bytes=99999999999-"),
    "Referer": ("http://[", "\xe9"),
    "Triggering-Event": ("{", "[1]"),
    "User-Agent": ("", "\xe9", "\x00", "x" * 9_000),
    "X-Forwarded-For": ("garbage", "1.2.3.4:99", "[::1]:80", "fe80::1%eth0", "\x00", ",", "\xe9, \xfc"),
}
WORDS: Final = ("kudi", "%00", "%ED%A0%80", "a.b:c", "x" * 5_000)
"""In place of every word that an address outside of the console takes."""
PLACE: Final = "place"


@pytest.fixture
def world(world: World) -> World:
    return furnished(world)


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The parameters and fields that the program has looked for, since this was last cleared."""
    names: set[str] = set()

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def note(self: QueryDict, name: str, *args: Any) -> Any:
            names.add(name)
            return method(self, name, *args)

        return note

    for method in ("get", "getlist", "__getitem__", "__contains__"):
        monkeypatch.setattr(QueryDict, method, noting(getattr(QueryDict, method)))
    return names


def taking_turns(names: Iterable[str], start: int) -> Iterator[str]:
    """Each name carries another value each time, and none that its neighbor carries."""
    for turn in range(TURNS):
        values = islice(cycle(VALUES), start + turn * len(VALUES) // TURNS, None)
        yield "&".join(f"{quote(name)}={value}" for name, value in zip(sorted(names), values, strict=False))


def rows(method: str) -> Iterator[tuple[int, Row, str]]:
    """Each with one of those who may, another one each time."""
    chosen = [row for row in ROWS if row.method == method]
    for number, row in enumerate(chosen):
        allowed = sorted(row.allowed & EVERYBODY)
        yield number, row, allowed[number % len(allowed)]


def is_answered(answer: HttpResponse, *what: object) -> bool:
    """Whether the request was carried out. Django's client raises what the program does not catch."""
    assert answer.status_code < 500, what
    answer.getvalue()
    return answer.status_code < 400


def test_parameters(world: World, looked_for: set[str]) -> None:
    for number, row, role in rows("GET"):
        client, url = world.kudi.client(role), address(row, world.kudi)
        looked_for.clear()
        with undone():
            client.get(url)
        for query in taking_turns(frozenset(looked_for), number):
            with undone():
                is_answered(client.get(f"{url}?{query}"), row, role, query[:300])


def test_fields(world: World, looked_for: set[str]) -> None:
    """One hostile field among good ones, several at once, one twice, none, and what is no form at all."""
    before = state(world.kudi)
    for number, row, role in rows("POST"):
        client, url, good = world.kudi.client(role), address(row, world.kudi), payload(row, world.kudi)
        looked_for.clear()
        with undone():
            is_answered(client.post(url), row, role)
        names = sorted({*looked_for, *good} - {"csrfmiddlewaretoken"})
        twice = f"{urlencode(good)}&{urlencode(dict.fromkeys(names, 'twice'))}"
        bodies = [twice, *taking_turns(names, number)]
        for value, name in zip(islice(cycle(VALUES), number, None), names[:ONE_BY_ONE], strict=False):
            others = {key: each for key, each in good.items() if key != name}
            bodies.append(f"{urlencode(others)}&{quote(name)}={value}")
        posts = [BODIES[number % len(BODIES)], *((FORM, body.encode()) for body in bodies)]
        with undone():
            for kind, body in posts:
                with transaction.atomic():
                    answer = client.generic("POST", url, body, kind)
                    if is_answered(answer, row, role, kind, body[:300]):
                        transaction.set_rollback(True)
            assert state(world.kudi) == before, (row, role)


def outside() -> Iterator[str]:
    """The paths of all addresses that are not below /o/<organization>/, with PLACE where they take a word."""

    def walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            route = prefix + re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]*>", PLACE, str(entry.pattern)).strip("^$")
            if isinstance(entry, URLResolver):
                yield from walk(entry, route)
            elif isinstance(entry, URLPattern):
                yield f"/{route}"

    return (path for path in walk(get_resolver(), "") if not path.startswith(f"/o/{PLACE}/"))


def test_addresses_outside_of_the_console(world: World, looked_for: set[str]) -> None:
    signed_in = world.kudi.client("admin")
    for number, path in enumerate(sorted(set(outside()))):
        plain = path.replace(PLACE, "kudi")
        looked_for.clear()
        with undone():
            is_answered(Client().get(plain), plain)
            is_answered(Client().post(plain), plain)
        [query, *_] = taking_turns(frozenset(looked_for), number)
        for word in WORDS if PLACE in path else WORDS[:1]:
            url = path.replace(PLACE, word)
            with undone():
                is_answered(Client().get(f"{url}?{query}"), url, query[:300])
                is_answered(signed_in.generic("POST", url, query, FORM), url, query[:300])


def test_headers(world: World, settings: Any) -> None:
    """Behind a proxy whose word about the caller's address counts."""
    settings.TRUSTED_PROXY_COUNT = 1
    kudi, admin = world.kudi, world.kudi.client("admin")
    profile = kudi.url(f"customers/{kudi.customers['own'].pk}/")
    cookies = SimpleCookie(admin.cookies)
    for name, value in ((name, value) for name, values in HEADERS.items() for value in values):
        for method, url in (("GET", profile), ("POST", f"{profile}status/"), ("POST", "/accounts/login/")):
            admin.cookies = SimpleCookie(cookies)  # an answer may end the session
            with undone():
                is_answered(admin.generic(method, url, "", FORM, headers={name: value}), name, value[:99], url)
