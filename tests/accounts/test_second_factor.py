"""Authenticator app, recovery codes, passkeys, and organizations that ask for a second factor."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connection, connections
from django.test import Client

from accounts.models import Organization, User
from accounts.second_factor import CodeUsedBefore, use_code
from tests.accounts.passkeys import Passkey, offered, plain, register
from tests.accounts.support import App, is_signed_in, letters, set_up_app, sign_in, signed_in
from tests.factories import PASSWORD, UserFactory
from tests.pages import text
from tests.world import World

FAKE = '{"id": "eA", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "e30", %s}}'
Clock = time_machine.Traveller


def second_step(user: User) -> Client:
    client = Client()
    assert sign_in(client, user).headers["Location"] == "/accounts/2fa/authenticate/"
    return client


def enter(client: Client, code: str) -> Any:
    return client.post("/accounts/2fa/authenticate/", {"code": code})


def recovery_codes(client: Client) -> list[str]:
    codes: list[str] = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    return codes


# --- Setting up ---------------------------------------------------------------------------------------------------


def test_fresh_sign_in_need_not_be_confirmed_and_an_old_one_must(user: User, clock: Clock) -> None:
    client = signed_in(user)
    assert client.get("/accounts/2fa/app/activate/").status_code == 200
    clock.shift(301)
    response = client.get("/accounts/2fa/app/activate/")
    assert response.headers["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2F2fa%2Fapp%2Factivate%2F"
    assert "This is not your password." in text(client.post(response.headers["Location"], {"password": "wrong"}))
    confirmed = client.post(response.headers["Location"], {"password": PASSWORD})
    assert confirmed.headers["Location"] == "/accounts/2fa/app/activate/"
    assert client.get("/accounts/2fa/app/activate/").status_code == 200


def test_page_shows_picture_and_key(user: User) -> None:
    page = signed_in(user).get("/accounts/2fa/app/activate/")
    html = page.content.decode()
    assert 'src="data:image/svg+xml;base64,' in html
    assert page.context["form"].secret[:4] in html


def test_wrong_code_turns_nothing_on(user: User, clock: Clock) -> None:
    client = signed_in(user)
    secret = client.get("/accounts/2fa/app/activate/").context["form"].secret
    page = client.post("/accounts/2fa/app/activate/", {"code": App(secret).code(time.time(), step=9)})
    assert "This code is not right." in text(page)
    assert page.context["form"].secret == secret
    assert not Authenticator.objects.exists()


def test_setting_up_gives_ten_recovery_codes_a_mail_and_ends_other_sessions(
    user: User, clock: Clock, django_capture_on_commit_callbacks: Any
) -> None:
    client, other = signed_in(user), signed_in(user)
    with django_capture_on_commit_callbacks(execute=True):
        set_up_app(client, clock)
    assert len(recovery_codes(client)) == 10
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert "An authenticator app was added as your second factor" in [letter.subject for letter in letters()]


def test_seeds_are_not_in_clear_in_the_database(user: User, clock: Clock) -> None:
    client = signed_in(user)
    app = set_up_app(client, clock)
    codes = recovery_codes(client)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert app.secret not in stored
    assert not [code for code in codes if code in stored]
    assert '"secret": "gAAAA' in stored
    assert '"seed": "gAAAA' in stored
    assert app.secret not in json.dumps(dict(client.session))


# --- Signing in ---------------------------------------------------------------------------------------------------


def test_password_alone_opens_nothing(user: User, clock: Clock) -> None:
    set_up_app(signed_in(user), clock)
    client = second_step(user)
    for path in ("/accounts/", "/accounts/2fa/", "/accounts/2fa/recovery-codes/", "/organizations/"):
        assert client.get(path).headers["Location"].startswith("/accounts/login/"), path
    assert client.get("/accounts/login/").headers["Location"] == "/accounts/2fa/authenticate/"


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_code_of_the_app(user: User, clock: Clock, step: int) -> None:
    app = set_up_app(signed_in(user), clock)
    client = second_step(user)
    assert enter(client, app.code(time.time(), step)).headers["Location"] == "/"
    assert is_signed_in(client)


@pytest.mark.parametrize("step", [-3, -2, 2, 3])
def test_code_of_another_time(user: User, clock: Clock, step: int) -> None:
    app = set_up_app(signed_in(user), clock)
    clock.shift(90)
    client = second_step(user)
    assert "This code is not right." in text(enter(client, app.code(time.time(), step)))
    assert not is_signed_in(client)


def test_code_works_once(user: User, clock: Clock, settings: Any) -> None:
    app = set_up_app(signed_in(user), clock)
    code = app.code(time.time())
    assert enter(second_step(user), code).status_code == 302
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": "emptied"}}
    again = second_step(user)
    assert "This code was used before." in text(enter(again, code))
    assert "This code was used before." in text(enter(again, app.code(time.time(), step=-1)))
    assert not is_signed_in(again)
    assert enter(again, app.code(time.time(), step=1)).status_code == 302


def test_code_that_turned_the_app_on_does_not_sign_in(user: User, clock: Clock) -> None:
    app = set_up_app(signed_in(user), clock)
    clock.shift(-60)
    assert "This code was used before." in text(enter(second_step(user), app.code(time.time())))


@pytest.mark.django_db(transaction=True)
def test_one_code_sent_twice_at_once_is_good_once(user: User, clock: Clock) -> None:
    app = set_up_app(signed_in(user), clock)
    code = app.code(time.time())

    def use(_: int) -> bool:
        try:
            return use_code(user, code) is not None
        except CodeUsedBefore:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_recovery_code_works_once(user: User, clock: Clock) -> None:
    client = signed_in(user)
    set_up_app(client, clock)
    first, second, *_ = recovery_codes(client)
    assert enter(second_step(user), first).status_code == 302
    again = second_step(user)
    assert "This code is not right." in text(enter(again, first))
    assert enter(again, f"{second[:4]} {second[4:]}").status_code == 302
    assert len(recovery_codes(again)) == 8


def test_five_wrong_codes_are_all_there_are(user: User, clock: Clock) -> None:
    app = set_up_app(signed_in(user), clock)
    for _ in range(5):
        enter(second_step(user), "000000")
    client = second_step(user)
    assert "Too many tries." in text(enter(client, app.code(time.time())))
    assert not is_signed_in(client)


def test_somebody_else_can_sign_in_from_the_second_step(user: User, clock: Clock) -> None:
    set_up_app(signed_in(user), clock)
    client = second_step(user)
    client.post("/accounts/logout/", {"next": "/accounts/login/"})
    assert client.get("/accounts/login/").status_code == 200


# --- Taking away and renewing -------------------------------------------------------------------------------------


def test_new_recovery_codes_replace_the_old_ones(
    user: User, clock: Clock, django_capture_on_commit_callbacks: Any
) -> None:
    client = signed_in(user)
    set_up_app(client, clock)
    old = recovery_codes(client)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/recovery-codes/generate/")
    new = recovery_codes(client)
    assert len(new) == 10
    assert not set(old) & set(new)
    assert "New recovery codes were made; the former ones no longer work" in [letter.subject for letter in letters()]
    download = client.get("/accounts/2fa/recovery-codes/download/")
    assert download.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert download.headers["Cache-Control"].count("no-store")
    assert all(code in download.content.decode() for code in new)


def test_removing_the_app(user: User, clock: Clock) -> None:
    client = signed_in(user)
    set_up_app(client, clock)
    clock.shift(301)
    response = client.get("/accounts/2fa/app/deactivate/")
    assert response.headers["Location"].startswith("/accounts/reauthenticate/")
    client.post(response.headers["Location"], {"password": PASSWORD})
    assert client.post("/accounts/2fa/app/deactivate/").headers["Location"] == "/accounts/2fa/"
    assert not Authenticator.objects.exists()
    assert is_signed_in(signed_in(user))


def test_old_sign_in_cannot_see_the_codes(user: User, clock: Clock) -> None:
    client = signed_in(user)
    set_up_app(client, clock)
    clock.shift(301)
    for path in ("", "generate/", "download/"):
        response = client.get(f"/accounts/2fa/recovery-codes/{path}")
        assert response.headers["Location"].startswith("/accounts/reauthenticate/"), path


# --- Organizations that ask for it --------------------------------------------------------------------------------


def test_organization_that_asks_leads_through_setting_up_and_back(world: World, clock: Clock) -> None:
    Organization.objects.filter(pk=world.kudi.organization.pk).update(requires_second_factor=True)
    client, wanted = signed_in(world.kudi["admin"].user), world.kudi.url("customers/?q=ad")
    response = client.get(wanted)
    assert response.headers["Location"] == "/accounts/2fa/app/activate/"
    page = client.get("/accounts/2fa/app/activate/")
    assert "asks for a second factor" in text(page)
    client.post("/accounts/2fa/app/activate/", {"code": App(page.context["form"].secret).code(time.time())})
    codes = client.get("/accounts/2fa/recovery-codes/")
    assert f'href="{wanted}"' in codes.content.decode()
    assert client.get(wanted).status_code == 200
    assert "go on" not in text(client.get("/accounts/2fa/recovery-codes/"))


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("path", ["", "customers/", "settings/members/", "audit/", "nothing/here/"])
def test_nothing_opens_before(world: World, method: str, path: str) -> None:
    Organization.objects.filter(pk=world.kudi.organization.pk).update(requires_second_factor=True)
    response = getattr(world.kudi.client("super_admin"), method)(world.kudi.url(path))
    assert response.headers["Location"] == "/accounts/2fa/app/activate/"


def test_other_organization_that_does_not_ask_stays_open(world: World) -> None:
    Organization.objects.filter(pk=world.kudi.organization.pk).update(requires_second_factor=True)
    assert world.rival.client("admin").get(world.rival.url("customers/")).status_code == 200


# --- Passkeys -----------------------------------------------------------------------------------------------------


def test_passkey_signs_in_without_a_password(user: User) -> None:
    passkey = Passkey()
    register(signed_in(user), passkey)
    client = Client()
    answer = {"credential": passkey.sign(offered(client)), "next": "/organizations/"}
    assert client.post("/accounts/2fa/passkeys/login/", answer).headers["Location"] == "/organizations/"
    assert is_signed_in(client)
    assert client.session.get_expiry_age() == 12 * 60 * 60
    again = Client()
    offered(again)
    assert again.post("/accounts/2fa/passkeys/login/", answer).status_code == 302
    assert not is_signed_in(again)


def test_passkey_as_second_step_and_to_confirm(user: User, clock: Clock) -> None:
    passkey = Passkey()
    register(signed_in(user), passkey)
    client = second_step(user)
    options = plain(client.get("/accounts/2fa/authenticate/").context["js_data"]["request_options"])
    client.post("/accounts/2fa/authenticate/", {"credential": passkey.sign(options)})
    assert is_signed_in(client)
    clock.shift(301)
    options = plain(client.get("/accounts/2fa/passkeys/reauthenticate/").context["js_data"]["request_options"])
    data = {"credential": passkey.sign(options), "next": "/accounts/2fa/app/activate/"}
    response = client.post("/accounts/2fa/passkeys/reauthenticate/", data)
    assert response.headers["Location"] == "/accounts/2fa/app/activate/"
    assert client.get("/accounts/2fa/app/activate/").status_code == 200


def test_signatures_of_other_keys_and_sites_are_refused(user: User) -> None:
    passkey, thief = Passkey(), Passkey()
    register(signed_in(user), passkey)
    thief.id, thief.user_handle = passkey.id, passkey.user_handle
    for sign in (thief.sign, lambda options: passkey.sign(options, origin="https://evil.example")):
        client = Client()
        client.post("/accounts/2fa/passkeys/login/", {"credential": sign(offered(client))})
        assert not is_signed_in(client)
        assert "This passkey was not accepted" in text(client.get("/accounts/login/"))


def test_passkey_is_renamed_and_removed_by_its_owner_alone(user: User) -> None:
    client = signed_in(user)
    register(client, Passkey())
    pk = Authenticator.objects.get(type="webauthn").pk
    stranger = signed_in(UserFactory())
    for path in ("edit", "remove"):
        assert stranger.get(f"/accounts/2fa/passkeys/{pk}/{path}/").status_code == 404
        assert stranger.post(f"/accounts/2fa/passkeys/{pk}/{path}/", {"name": "x"}).status_code == 404
    assert client.post(f"/accounts/2fa/passkeys/{pk}/edit/", {"name": "Desk"}).headers["Location"] == "/accounts/2fa/"
    assert "Desk" in text(client.get("/accounts/2fa/"))
    assert client.post(f"/accounts/2fa/passkeys/{pk}/remove/").headers["Location"] == "/accounts/2fa/"
    assert not Authenticator.objects.exists()


def test_passkey_satisfies_an_organization_that_asks(world: World) -> None:
    Organization.objects.filter(pk=world.kudi.organization.pk).update(requires_second_factor=True)
    client = signed_in(world.kudi["admin"].user)
    register(client, Passkey())
    assert client.get(world.kudi.url("customers/")).status_code == 200


def test_what_a_passkey_signs_belongs_to_the_configured_address(user: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.BASE_URL = ["*"], "https://console.example.com"
    headers = {"Accept": "application/json", "Host": "evil.example"}
    answer = Client().get("/accounts/2fa/passkeys/login/", headers=headers).json()
    assert answer["request_options"]["publicKey"]["rpId"] == "console.example.com"
    page = signed_in(user).get("/accounts/2fa/passkeys/add/", headers=headers)
    assert page.context["js_data"]["creation_options"]["publicKey"]["rp"]["id"] == "console.example.com"


@pytest.mark.parametrize(
    "credential",
    [
        *("", "x", "{}", "[]", "null", "1", '"x"', '{"id": 1}', '{"response": null}'),
        '{"response": {"userHandle": "MQ"}}',
        FAKE % '"attestationObject": "oA"',
        FAKE % '"authenticatorData": "eA", "signature": "eA", "userHandle": "MQ"',
        '{"id": "\\u0000"}',
        "[" * 15_000,
        "[" * 300_000,
    ],
)
def test_made_up_passkeys(user: User, clock: Clock, credential: str) -> None:
    client = Client()
    client.get("/accounts/2fa/passkeys/login/", headers={"Accept": "application/json"})
    assert client.post("/accounts/2fa/passkeys/login/", {"credential": credential}).status_code == 302
    assert not is_signed_in(client)
    client = signed_in(user)
    set_up_app(client, clock)
    assert client.post("/accounts/2fa/passkeys/add/", {"name": "x", "credential": credential}).status_code == 200
    second = second_step(user)
    assert second.post("/accounts/2fa/authenticate/", {"credential": credential}).status_code == 200
    assert not Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).exists()
