"""Sessions: seen and ended by their owner, and by the clock."""

from __future__ import annotations

import time

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.accounts.support import FIREFOX, is_signed_in, sign_in, signed_in
from tests.factories import UserFactory
from tests.pages import text
from tests.world import World


def session_of(client: Client) -> UserSession:
    row: UserSession = UserSession.objects.get(session_key=client.cookies["sessionid"].value)
    return row


def test_list_names_browser_and_address(user: User) -> None:
    client = signed_in(user)
    signed_in(UserFactory())
    page = text(client.get("/accounts/sessions/", HTTP_USER_AGENT=FIREFOX))
    assert page.count("Firefox on Linux") == 1
    assert "This one" in page
    assert "127.0.0.1" in page
    assert "Sign out all other sessions" not in page


def test_user_agent_is_never_repeated(user: User) -> None:
    client = Client()
    sign_in(client, user)
    UserSession.objects.update(user_agent="<script>alert(1)</script> call 0800 EVIL")
    page = text(client.get("/accounts/sessions/"))
    assert "EVIL" not in page
    assert "An unknown browser" in page


def test_end_one(user: User) -> None:
    here, there, third = signed_in(user), signed_in(user), signed_in(user)
    response = here.post(f"/accounts/sessions/{session_of(there).pk}/end/")
    assert response.headers["Location"] == "/accounts/sessions/"
    assert not is_signed_in(there)
    assert is_signed_in(here)
    assert is_signed_in(third)


def test_end_this_one(user: User) -> None:
    here, there = signed_in(user), signed_in(user)
    assert here.post(f"/accounts/sessions/{session_of(here).pk}/end/").headers["Location"] == "/accounts/login/"
    assert not is_signed_in(here)
    assert is_signed_in(there)


def test_end_all_others(user: User) -> None:
    here, there, third = signed_in(user), signed_in(user), signed_in(user)
    here.post("/accounts/sessions/")
    assert [is_signed_in(client) for client in (here, there, third)] == [True, False, False]


def test_session_of_somebody_else_is_not_there(user: User) -> None:
    other = signed_in(UserFactory())
    assert signed_in(user).post(f"/accounts/sessions/{session_of(other).pk}/end/").status_code == 404
    assert signed_in(user).get(f"/accounts/sessions/{session_of(other).pk}/end/").status_code == 405
    assert is_signed_in(other)


def test_session_that_began_elsewhere_is_listed(world: World) -> None:
    client = world.kudi.client("admin")
    client.get("/accounts/")
    assert session_of(client).user == world.kudi["admin"].user


def test_half_an_hour_without_a_click_ends_it(user: User, clock: time_machine.Traveller) -> None:
    client = signed_in(user)
    for _ in range(3):
        assert is_signed_in(client)
        clock.shift(25 * 60)
    assert is_signed_in(client)
    clock.shift(30 * 60)
    response = client.get("/accounts/sessions/")
    assert response.headers["Location"] == "/accounts/login/?next=/accounts/sessions/"
    assert "nothing happened for 30 minutes" in text(client.get(response.headers["Location"]))


def test_twelve_hours_end_it_however_busy(user: User, clock: time_machine.Traveller) -> None:
    client = signed_in(user)
    assert is_signed_in(client)
    for _ in range(12 * 4 - 1):
        clock.shift(15 * 60)
        assert is_signed_in(client)
    clock.shift(15 * 60)
    assert not is_signed_in(client)


def test_requests_within_five_minutes_write_nothing(user: User, clock: time_machine.Traveller) -> None:
    client = signed_in(user)
    client.get("/accounts/")
    clock.shift(299)
    with CaptureQueriesContext(connection) as queries:
        client.get("/accounts/")
    assert not [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]
    clock.shift(2)
    client.get("/accounts/")
    assert session_of(client).last_seen_at.timestamp() == pytest.approx(time.time())


def test_idle_member_comes_back_to_the_page(world: World, clock: time_machine.Traveller) -> None:
    client = world.kudi.client("admin")
    client.get("/accounts/")
    clock.shift(31 * 60)
    response = client.get(world.kudi.url("customers/?q=x"))
    assert response.headers["Location"] == "/accounts/login/?next=/o/kudi/customers/%3Fq%3Dx"
