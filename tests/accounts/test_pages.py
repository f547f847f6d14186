"""Every page of sign-in and of one's own account stands in our frame, works under the strict policy and is valid."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from accounts import urls_sign_in
from accounts.browsers import describe_browser
from accounts.models import Organization, User
from lendconsole.tenancy import organization_context
from teams.models import Member
from tests.accounts.passkeys import Passkey, register
from tests.accounts.support import letters, set_up_app, sign_in, signed_in
from tests.html_validator import problems
from tests.pages import text
from tests.world import World

FOR_STRANGERS = [
    "account_login",
    "account_inactive",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
]
FOR_OWNERS = [
    "accounts:profile",
    "account_change_password",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "usersessions_list",
    "accounts:organizations",
]
WITH_A_FACTOR = [
    "account_reauthenticate",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
]


@pytest.fixture
def pages(world: World, clock: time_machine.Traveller) -> dict[str, str]:
    """Each page by its name, as its reader gets it; those with messages among them."""
    user = world.kudi["admin"].user
    found = {}

    def keep(name: str, response: Any) -> None:
        assert response.status_code in (200, 422), (name, response.status_code, response.headers)
        found[name] = response.content.decode()

    for name in FOR_STRANGERS:
        keep(name, Client().get(reverse(name)))
    keep("wrong password", sign_in(Client(), user, "wrong"))
    keep("nothing typed", Client().post("/accounts/login/", {}))
    keep("bad link", Client().get("/accounts/password/reset/key/1-a-b/"))
    client = signed_in(user)
    for name in FOR_OWNERS:
        keep(name, client.get(reverse(name)))
    keep("no name", client.post("/accounts/", {"first_name": "", "last_name": "=1"}))
    keep("bad change", client.post("/accounts/password/change/", {"password1": "short"}))
    app = set_up_app(client, clock)
    register(client, Passkey(), name="Office <laptop>")
    pk = Authenticator.objects.get(type="webauthn").pk
    for name in WITH_A_FACTOR:
        keep(f"{name} with a factor", client.get(reverse(name)))
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        keep(name, client.get(reverse(name, args=[pk])))
    second = Client()
    sign_in(second, user)
    keep("mfa_authenticate", second.get("/accounts/2fa/authenticate/"))
    keep("wrong code", second.post("/accounts/2fa/authenticate/", {"code": app.code(time.time(), step=9)}))
    return found


def test_every_page_is_ours(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        assert html.lstrip().lower().startswith("<!doctype html>"), name
        assert "css/console.css" in html, name
        assert '<main class="pl' in html or '<main class="page-main' in html, name
        assert html.count("<h1") == 1, name
        assert re.search(r"<title>\s*\S[^<]+ · lendconsole\s*</title>", html), name


def test_no_page_has_inline_code_or_style(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        assert not re.search(r"<script(?![^>]*\bsrc=)", html), name
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", html), name


def test_every_page_is_valid(pages: dict[str, str], tmp_path: Path) -> None:
    found = problems(pages, tmp_path)
    assert [problem for problem in found if "Attribute “hx-" not in problem] == []


def test_words_are_plain(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        words = re.sub(r"<[^>]+>", " ", html)
        for word in ("Error", "Invalid", "Success", "Two-Factor", "Authenticator secret", "Email", "sign up first"):
            assert word not in words, (name, word)


def test_every_address_of_sign_in_is_tried_here(pages: dict[str, str]) -> None:
    """Besides those that only redirect, download or act, which have tests of their own."""
    elsewhere = {
        "account_reset_password_from_key",
        "account_set_password",
        "mfa_download_recovery_codes",
        "mfa_list_webauthn",
        "mfa_login_webauthn",
    }
    tried = {name.removesuffix(" with a factor") for name in pages}
    assert {pattern.name for pattern in urls_sign_in.urlpatterns} - elsewhere <= tried


@pytest.mark.parametrize(
    "name",
    [
        "account_email",
        "account_email_verification_sent",
        "account_request_login_code",
        "mfa_trust",
        "mfa_signup_webauthn",
    ],
)
def test_half_built_pages_do_not_exist(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_addresses_for_owners_ask_strangers_to_sign_in(db: None) -> None:
    names = [
        key
        for key in get_resolver().reverse_dict
        if isinstance(key, str) and key.startswith(("mfa_", "usersessions_")) and key != "mfa_login_webauthn"
    ]
    assert len(names) > 10
    for name in names:
        args = [1] if name in ("mfa_edit_webauthn", "mfa_remove_webauthn") else []
        for method in ("get", "post"):
            response = getattr(Client(), method)(reverse(name, args=args))
            assert response.status_code == 302, name
            assert response.headers["Location"].startswith("/accounts/login/"), name


def test_addresses_that_only_lead_on(user: User) -> None:
    client = signed_in(user)
    assert client.get("/accounts/password/set/").headers["Location"] == "/accounts/password/reset/"
    assert client.get("/accounts/2fa/passkeys/").headers["Location"] == "/accounts/2fa/"
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 404
    assert client.get("/accounts/2fa/app/deactivate/").status_code == 404


def test_headers(user: User) -> None:
    for response in (Client().get("/accounts/login/"), signed_in(user).get("/accounts/2fa/app/activate/")):
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "same-origin"


# --- Name ---------------------------------------------------------------------------------------------------------


def test_name_can_be_changed(user: User) -> None:
    client = signed_in(user)
    assert client.post("/accounts/", {"first_name": "Amaka", "last_name": "Obi-Eze"}).status_code == 302
    user.refresh_from_db()
    assert user.name == "Amaka Obi-Eze"
    assert "Your name is now Amaka Obi-Eze." in text(client.get("/accounts/"))


def test_refused_name_changes_nothing_and_is_kept_in_the_form(user: User) -> None:
    page = signed_in(user).post("/accounts/", {"first_name": "=cmd()", "last_name": "Obi", "email": "x@example.com"})
    assert page.status_code == 422
    assert 'value="=cmd()"' in page.content.decode()
    user.refresh_from_db()
    assert (user.name, user.email) == ("Amaka Obi", "amaka@example.com")


# --- Start page and chooser ---------------------------------------------------------------------------------------


def join(world: World, user: User) -> Member:
    """A second membership, in the rival organization."""
    rival = world.rival
    with organization_context(rival.organization.pk):
        member: Member = Member.objects.create(
            organization=rival.organization, user=user, role=rival.roles["admin"], office=rival.head
        )
    return member


def test_start_page(world: World) -> None:
    assert Client().get("/").headers["Location"] == "/accounts/login/"
    client = world.kudi.client("admin")
    assert client.get("/").headers["Location"] == "/o/kudi/"
    join(world, world.kudi["admin"].user)
    assert client.get("/").headers["Location"] == "/organizations/"


def test_chooser_lists_the_own_organizations_only(world: World) -> None:
    page = world.kudi.client("admin").get("/organizations/").content.decode()
    assert 'href="/o/kudi/"' in page
    assert "rival" not in page.lower()
    join(world, world.kudi["admin"].user)
    page = world.kudi.client("admin").get("/organizations/").content.decode()
    assert 'href="/o/kudi/"' in page
    assert 'href="/o/rival/"' in page


def test_somebody_who_was_deactivated_everywhere_is_told(world: World) -> None:
    client = Client()
    assert sign_in(client, world.kudi["deactivated"].user).status_code == 302
    assert client.get("/").headers["Location"] == "/organizations/"
    page = client.get("/organizations/")
    assert "No organization is open to you" in text(page)
    assert f"{world.kudi.organization.name}: your access was ended." in text(page)
    assert "/o/kudi/" not in page.content.decode()


def test_members_of_a_suspended_organization_are_told(world: World) -> None:
    Organization.objects.filter(pk=world.kudi.organization.pk).update(suspended_at="2026-01-01T00:00Z")
    client = world.kudi.client("admin")
    assert client.get("/").headers["Location"] == "/organizations/"
    assert "suspended for everybody at the moment" in text(client.get("/organizations/"))


def test_somebody_without_any_organization_is_told(user: User) -> None:
    client = signed_in(user)
    assert client.get("/").headers["Location"] == "/organizations/"
    assert "you do not belong to any organization yet" in text(client.get("/organizations/"))


# --- Letters ------------------------------------------------------------------------------------------------------


def test_letters_carry_nothing_that_the_sender_of_a_request_wrote(user: User) -> None:
    client = signed_in(user)
    data = {
        "oldpassword": "correct horse battery 9",
        "password1": "nine green bottles",
        "password2": "nine green bottles",
    }
    client.post("/accounts/password/change/", data, HTTP_USER_AGENT="Visit https://evil.example <b>now</b>")
    [letter] = letters()
    assert "evil" not in letter.text + letter.html
    assert "An unknown browser" in letter.text


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:140.0) Gecko Firefox/140.0", "Firefox on macOS"),
        ("curl/8.0 (Linux)", "A program on Linux"),
        ("", "An unknown browser"),
    ],
)
def test_browsers_are_named(user_agent: str, words: str) -> None:
    assert describe_browser(user_agent) == words
