"""Signing in: who gets in, what strangers learn, and how often they may try."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.hashers import get_hasher, identify_hasher, make_password
from django.test import Client

from accounts.models import User
from tests.accounts.support import is_signed_in, letters, sign_in, signed_in
from tests.factories import PASSWORD, UserFactory
from tests.pages import text
from tests.world import World

NOT_RIGHT = "The e-mail address or the password is not right."
TOO_MANY = "Too many tries."


def test_member_of_one_organization_lands_there(world: World) -> None:
    client = Client()
    assert sign_in(client, world.kudi["admin"].user).headers["Location"] == "/"
    assert client.get("/").headers["Location"] == world.kudi.url()


def test_sign_in_changes_the_session_id_and_the_old_one_is_worthless(user: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key
    assert sign_in(client, user).status_code == 302
    assert client.cookies["sessionid"].value != session.session_key
    stranger = Client()
    stranger.cookies["sessionid"] = session.session_key
    assert not is_signed_in(stranger)


def test_capital_letters_in_the_address_do_not_matter(user: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": " AMAKA@Example.com ", "password": PASSWORD})
    assert is_signed_in(client)


@pytest.mark.parametrize("password", ["wrong", PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1]])
def test_wrong_password(user: User, password: str) -> None:
    client = Client()
    response = sign_in(client, user, password)
    assert NOT_RIGHT in text(response)
    assert user.email in response.content.decode()
    assert password not in response.content.decode()
    assert not is_signed_in(client)


def test_unknown_address_gets_the_same_answer(user: User) -> None:
    known, unknown = sign_in(Client(), user, "wrong"), sign_in(Client(), User(email="nobody@example.com"), "wrong")
    assert known.status_code == unknown.status_code == 200
    assert text(known) == text(unknown)


def test_login_that_is_switched_off(user: User) -> None:
    client = signed_in(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not is_signed_in(client)
    assert sign_in(client, user).headers["Location"] == "/accounts/inactive/"
    assert not is_signed_in(client)
    assert NOT_RIGHT in text(sign_in(Client(), user, "wrong"))


def test_passwords_are_hashed_with_argon2(settings: Any, user: User) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    hashed = make_password("x" * 12)
    assert hashed.startswith("argon2$argon2id$")
    assert identify_hasher(hashed).algorithm == "argon2"
    assert get_hasher().memory_cost >= 19 * 1024


# --- Limits -------------------------------------------------------------------------------------------------------


def fail(user: User, times: int, **extra: str) -> str:
    return [text(sign_in(Client(), user, f"wrong {number}", **extra)) for number in range(times)][-1]


def test_sixth_wrong_password_for_an_address_is_not_looked_at(user: User) -> None:
    assert NOT_RIGHT in fail(user, 5)
    assert TOO_MANY in text(sign_in(Client(), user))
    other = UserFactory()
    assert sign_in(Client(), other).status_code == 302


def test_addresses_that_do_not_exist_are_limited_alike(db: None) -> None:
    nobody = User(email="nobody@example.com")
    assert NOT_RIGHT in fail(nobody, 5)
    assert TOO_MANY in fail(nobody, 1)


def test_wrong_passwords_from_many_places_do_not_lock_the_owner_out(user: User) -> None:
    browser = signed_in(user)
    browser.post("/accounts/logout/")
    for number in range(100):
        answer = text(sign_in(Client(), user, "wrong", REMOTE_ADDR=f"203.0.113.{number}"))
    assert TOO_MANY in answer
    sign_in(browser, user)
    assert is_signed_in(browser)


def test_known_browser_has_only_its_own_few_tries(user: User) -> None:
    browser = signed_in(user)
    browser.post("/accounts/logout/")
    assert [TOO_MANY in text(sign_in(browser, user, "wrong")) for _ in range(6)] == [False] * 5 + [True]
    assert TOO_MANY in text(sign_in(browser, user))
    assert NOT_RIGHT in text(sign_in(Client(), user, "wrong"))


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "\x00"])
def test_made_up_cookie_is_no_known_browser(user: User, cookie: str) -> None:
    fail(user, 5)
    client = Client()
    client.cookies["known_browser"] = cookie
    assert TOO_MANY in text(sign_in(client, user))


def test_cookie_of_one_login_is_worth_nothing_for_another(user: User) -> None:
    browser = signed_in(UserFactory())
    browser.post("/accounts/logout/")
    fail(user, 5)
    assert TOO_MANY in text(sign_in(browser, user))


def test_one_place_has_twenty_wrong_passwords_a_minute(db: None) -> None:
    answers = [text(sign_in(Client(), User(email=f"u{number}@example.com"), "wrong")) for number in range(21)]
    assert NOT_RIGHT in answers[19]
    assert TOO_MANY in answers[20]


def test_flood_gets_the_page_for_too_many_tries(user: User) -> None:
    for _ in range(60):
        Client().post("/accounts/login/", {})
    response = Client().post("/accounts/login/", {})
    assert response.status_code == 429
    assert "Please wait a few minutes" in text(response)


@pytest.mark.parametrize(
    "headers",
    [{"HTTP_HOST": "localhost:{}"}, {"HTTP_X_FORWARDED_FOR": "198.51.100.{}"}, {"HTTP_X_REAL_IP": "198.51.100.{}"}],
)
def test_headers_do_not_open_a_new_count(user: User, headers: dict[str, str]) -> None:
    for number in range(6):
        sent = {name: value.format(8000 + number if "HOST" in name else number) for name, value in headers.items()}
        answer = text(sign_in(Client(), user, "wrong", **sent))
    assert TOO_MANY in answer


def test_limits_go_on_while_valkey_is_away(user: User, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert NOT_RIGHT in fail(user, 5)
    assert TOO_MANY in fail(user, 1)
    client = Client()
    sign_in(client, UserFactory())
    assert is_signed_in(client)


# --- Where to -----------------------------------------------------------------------------------------------------


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "http://evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\x08//evil.example",
    "/%2f%2fevil.example",
    "%2f%2fevil.example",
    "/%5cevil.example",
    "//testserver@evil.example",
    "http://testserver@evil.example",
    "http://testserver.evil.example",
    "http://localhost.evil.example",
    "//evil.example/testserver",
    "http://[::1",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "//\u0435vil.example",
    "/\u2028/evil.example",
    "evil.example",
    "@evil.example",
]


def destination(location: str) -> str:
    """The host a browser goes to: it drops tabs and line breaks and takes backslashes for slashes."""
    cleaned = location.translate({9: None, 10: None, 13: None}).replace("\\", "/").strip("\x00 ")
    target = urlsplit(urljoin("http://testserver/accounts/login/", cleaned))
    assert target.scheme == "http"
    return target.hostname or ""


@pytest.mark.parametrize("address", ELSEWHERE)
def test_next_never_leads_elsewhere(user: User, address: str) -> None:
    client = Client()
    response = sign_in(client, user, next=address)
    assert response.status_code == 302
    assert destination(response.headers["Location"]) == "testserver"
    again = client.get("/accounts/login/", {"next": address})
    assert destination(again.headers["Location"]) == "testserver"
    out = client.post("/accounts/logout/", {"next": address})
    assert destination(out.headers["Location"]) == "testserver"


def test_next_leads_to_the_page_that_was_asked_for(world: World) -> None:
    client = Client()
    wanted = world.kudi.url("customers/?q=ad&status=active")
    response = client.get(wanted)
    assert response.headers["Location"].startswith("/accounts/login/?next=/o/kudi/customers/")
    page = client.get(response.headers["Location"])
    assert 'name="next" value="/o/kudi/customers/?q=ad&amp;status=active"' in page.content.decode()
    assert sign_in(client, world.kudi["admin"].user, next=wanted).headers["Location"] == wanted


def test_action_without_a_session_comes_back_to_a_page_that_can_be_opened(world: World) -> None:
    response = Client().post(world.kudi.url("customers/1/bvn/"))
    assert response.headers["Location"] == "/accounts/login/?next=/o/kudi/"


# --- No way around ------------------------------------------------------------------------------------------------


def test_nobody_signs_up(db: None) -> None:
    data = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}
    response = Client().post("/accounts/signup/", data)
    assert response.status_code == 405
    assert "Logins come by invitation" in text(Client().get("/accounts/signup/"))
    assert not User.objects.exists()
    assert not letters()


def test_sign_out_takes_a_post(user: User) -> None:
    client = signed_in(user)
    key = client.cookies["sessionid"].value
    assert "Sign out?" in text(client.get("/accounts/logout/"))
    assert is_signed_in(client)
    assert client.post("/accounts/logout/").headers["Location"] == "/accounts/login/"
    old = Client()
    old.cookies["sessionid"] = key
    assert not is_signed_in(old)


def test_forms_need_their_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client, user).status_code == 403
    assert not is_signed_in(client)


def test_pages_speak_no_json(user: User) -> None:
    for headers in ({"Accept": "application/json"}, {"X-Requested-With": "XMLHttpRequest"}):
        response = Client().post("/accounts/login/", {"login": user.email, "password": "wrong"}, headers=headers)
        assert response.headers["Content-Type"].startswith("text/html")


def test_cookies_are_out_of_reach_of_scripts(user: User) -> None:
    client = signed_in(user)
    client.get("/accounts/")
    for name in ("sessionid", "csrftoken", "known_browser"):
        assert client.cookies[name]["httponly"], name
        assert client.cookies[name]["samesite"] == "Lax", name
