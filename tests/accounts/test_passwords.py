"""Forgotten, changed and bad passwords."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from tests.accounts.support import is_signed_in, letters, link_in, set_up_app, sign_in, signed_in
from tests.factories import PASSWORD, UserFactory
from tests.pages import text
from tests.world import World

NEW = "nine green bottles 🍾 on a wall"


def ask(email: str, **extra: Any) -> Any:
    return Client().post("/accounts/password/reset/", {"email": email}, **extra)


def path_of(link: str) -> str:
    return urlsplit(link).path


def open_link(client: Client, link: str) -> str:
    """The address of the form; the key itself leaves the address bar."""
    response = client.get(path_of(link))
    assert response.status_code == 302
    address: str = response.headers["Location"]
    assert address.endswith("-set-password/")
    return address


def choose(client: Client, link: str, password: str = NEW, again: str | None = None) -> Any:
    return client.post(open_link(client, link), {"password1": password, "password2": again or password})


# --- Forgotten ----------------------------------------------------------------------------------------------------


def test_known_and_unknown_addresses_get_the_same_answer(user: User) -> None:
    known, unknown = ask(user.email), ask("nobody@example.com")
    assert known.status_code == unknown.status_code == 302
    assert known.headers["Location"] == unknown.headers["Location"] == "/accounts/password/reset/done/"
    assert "If there is a login with that address" in text(Client().get(known.headers["Location"]))


def test_only_the_owner_gets_a_mail(user: User) -> None:
    ask(user.email)
    ask("nobody@example.com")
    [letter] = letters()
    assert letter.recipient == user.email
    assert link_in(letter) in letter.html
    assert OutgoingEmail.objects.filter(recipient="nobody@example.com").count() == 0


def test_login_that_is_switched_off_gets_no_mail(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert ask(user.email).status_code == 302
    assert not letters()


def test_answers_cost_alike(user: User, settings: Any) -> None:
    """The same statements for both, a written and thrown away mail included; a clock would measure the machine."""
    settings.ACCOUNT_RATE_LIMITS = False
    written: dict[str, list[str]] = {}
    for email in (user.email, "nobody@example.com"):
        ask(email)
        with CaptureQueriesContext(connection) as captured:
            ask(email)
        statements = [query["sql"].split()[0] for query in captured.captured_queries]
        written[email] = [verb for verb in statements if verb in {"SELECT", "INSERT", "UPDATE"}]
    known, unknown = written.values()
    assert known.count("INSERT") == unknown.count("INSERT") == 1
    assert abs(len(known) - len(unknown)) <= 2  # reading the address of the login


@pytest.mark.parametrize(
    "typed",
    [
        "amaka@example.com,evil@example.com",
        "amaka@example.com evil@example.com",
        "amaka@example.com\nbcc: evil@example.com",
        "amaka@exam\u0440le.com",
        "\u0430maka@example.com",
        "ama\u212aa@example.com",
        "amaka@example.com\x00",
        "'amaka@example.com'",
        "a" * 70_000 + "@example.com",
    ],
)
def test_addresses_that_look_alike_never_become_the_recipient(user: User, typed: str) -> None:
    assert ask(typed).status_code in (200, 302)
    assert {letter.recipient for letter in letters()} <= {user.email}


def test_two_addresses_in_one_form_are_one_recipient(user: User) -> None:
    Client().post(
        "/accounts/password/reset/",
        "email=evil@example.com&email=amaka@example.com",
        content_type="application/x-www-form-urlencoded",
    )
    assert [letter.recipient for letter in letters()] == ["amaka@example.com"]


@pytest.mark.parametrize("host", ["evil.example", "testserver@evil.example", "testserver:80@evil.example"])
def test_foreign_host_is_refused(user: User, host: str) -> None:
    assert ask(user.email, HTTP_HOST=host).status_code == 400
    assert not letters()


def test_links_stand_below_the_configured_address(user: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.BASE_URL = ["*"], "https://console.example.com"
    ask(user.email, HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example", HTTP_X_FORWARDED_PROTO="http")
    [letter] = letters()
    assert link_in(letter).startswith("https://console.example.com/accounts/password/reset/key/")
    assert "evil" not in letter.text + letter.html + letter.subject


def test_sixth_mail_to_one_address_within_an_hour_is_refused_for_strangers_too(user: User) -> None:
    for email in (user.email, "nobody@example.com"):
        assert [ask(email).status_code for _ in range(6)] == [302] * 5 + [429]
    assert len(letters()) == 5


def test_new_password_by_the_link(user: User) -> None:
    other_browser, browser = signed_in(user), Client()
    ask(user.email)
    response = choose(browser, link_in(letters()[0]))
    assert response.headers["Location"] == "/accounts/login/"
    assert "Your password is changed." in text(browser.get("/accounts/login/"))
    assert not is_signed_in(browser)
    assert not is_signed_in(other_browser)
    assert "not right" in text(sign_in(Client(), user))
    assert sign_in(Client(), user, NEW).status_code == 302
    assert letters()[-1].subject == "Your password was changed by a link sent to this address"


def test_link_works_once_and_for_an_hour(user: User, clock: time_machine.Traveller) -> None:
    ask(user.email)
    link = link_in(letters()[0])
    assert choose(Client(), link).status_code == 302
    assert "This link no longer works" in text(Client().get(path_of(link)))
    ask(user.email)
    clock.shift(3601)
    assert "This link no longer works" in text(Client().get(path_of(link_in(letters()[-1]))))


def test_opening_the_link_changes_nothing(user: User) -> None:
    ask(user.email)
    link = link_in(letters()[0])
    for _ in range(5):
        Client().get(path_of(link))
    assert choose(Client(), link).status_code == 302


@pytest.mark.parametrize("path", ["1-abc-def", "0-x", "zzzzzzzzzzzzzzzz-a-b", "1-set-password", "1-%00"])
def test_made_up_links(user: User, path: str) -> None:
    response = Client().get(f"/accounts/password/reset/key/{path}/")
    assert response.status_code == 200
    assert "This link no longer works" in text(response)


def test_reset_is_no_way_around_the_second_factor(user: User, clock: time_machine.Traveller) -> None:
    set_up_app(signed_in(user), clock)
    ask(user.email)
    browser = Client()
    choose(browser, link_in(letters()[-1]))
    assert sign_in(browser, user, NEW).headers["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(browser)


# --- Changed ------------------------------------------------------------------------------------------------------


def change(client: Client, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> Any:
    data = {"oldpassword": old, "password1": new, "password2": again or new}
    return client.post("/accounts/password/change/", data)


def test_change_ends_the_other_sessions_only(user: User) -> None:
    here, there = signed_in(user), signed_in(user)
    assert change(here).status_code == 302
    assert is_signed_in(here)
    assert not is_signed_in(there)
    [letter] = letters()
    assert (letter.recipient, letter.subject) == (user.email, "Your password was changed")
    assert "127.0.0.1" in letter.text


def test_change_needs_the_present_password(user: User) -> None:
    client = signed_in(user)
    assert "This is not your present password." in text(change(client, old="wrong"))
    assert "You must type the same password each time." in text(change(client, again="another one 123"))
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert not letters()


# --- Bad ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    ["correct horse battery 9", "x7 " * 30, "🦀🦀🦀 crabs on the beach", "ẞöäü éèê ñ ßßß", "k" + "ab" * 60],
)
def test_good_passwords(password: str) -> None:
    validate_password(password, User(email="amaka@example.com", first_name="Amaka", last_name="Obi"))


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("elevenchars", "too short"),
        ("194857362037", "entirely numeric"),
        ("1qaz2wsx3edc", "on the lists that attackers try first"),
        ("justinbieber", "on the lists that attackers try first"),
        ("lendconsole1", "name of lendconsole"),
        ("LendConsole2026!", "name of lendconsole"),
        ("amaka@example.com", "too similar to the e-mail"),
        ("chukwuemeka12", "too similar to the first name"),
    ],
)
def test_bad_passwords(password: str, words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        validate_password(password, User(email="amaka@example.com", first_name="Chukwuemeka", last_name="Obi"))
    assert words in " ".join(refusal.value.messages)


def test_name_of_the_own_organization_is_no_password(world: World) -> None:
    name = world.kudi.organization.name
    with pytest.raises(ValidationError, match="your organization"):
        validate_password(f"{name}-2026", world.kudi["admin"].user)
    with organization_context(world.kudi.organization.pk), pytest.raises(ValidationError, match="your organization"):
        validate_password(f"{name}-2026", User(email="new@example.com"))
    validate_password(f"{name}-2026", UserFactory())


def test_refused_password_is_named_beside_its_field_and_not_shown(user: User) -> None:
    page = change(signed_in(user), new="lendconsole1")
    assert "name of lendconsole" in text(page)
    assert "lendconsole1" not in page.content.decode()
