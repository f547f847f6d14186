"""Another e-mail address for a login: by a link to the new one, told to the old one, and never somebody else's."""

from __future__ import annotations

import re

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from tests.accounts.support import is_signed_in, letters, sign_in, signed_in
from tests.factories import UserFactory
from tests.pages import text

URL = "/accounts/e-mail/"
NEW = "amaka.obi@new.example"


def link() -> str:
    found = re.search(r"/accounts/e-mail/\S+", letters()[-1].text)
    assert found is not None
    return found[0]


def ask(client: Client, email: str = NEW) -> None:
    assert client.post(URL, {"email": email}).status_code == 302


def address(user: User) -> str:
    return User.objects.get(pk=user.pk).email


def test_the_link_goes_to_the_new_address_and_the_note_to_the_old_one(user: User) -> None:
    client, elsewhere = signed_in(user), signed_in(user)
    ask(client, "Amaka.Obi@New.example")
    assert [letter.recipient for letter in letters()] == [NEW]
    assert "Waiting for the confirmation of amaka.obi@new.example" in text(client.get("/accounts/"))
    assert address(user) == "amaka@example.com"
    for _ in range(3):
        assert "Use this address" in text(client.get(link()))
    assert address(user) == "amaka@example.com"
    response = client.post(link(), follow=True)
    assert "You sign in with amaka.obi@new.example from now on" in text(response)
    assert address(user) == NEW
    assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary")) == [
        (NEW, True, True)
    ]
    assert letters()[-1].recipient == "amaka@example.com"
    assert "The e-mail address of your login was changed" in letters()[-1].text
    assert NEW not in letters()[-1].text
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)


def test_afterwards_the_new_address_signs_in_and_the_old_one_does_not(user: User) -> None:
    client = signed_in(user)
    ask(client)
    client.post(link())
    old, new = User(email="amaka@example.com"), User(email=NEW)
    assert sign_in(Client(), old).status_code != 302
    assert sign_in(Client(), new).status_code == 302


def test_a_link_works_once_and_only_the_newest_does(user: User) -> None:
    client = signed_in(user)
    ask(client)
    first = link()
    ask(client, "second@new.example")
    second = link()
    assert client.get(first).status_code == client.post(first).status_code == 410
    client.post(second)
    assert address(user) == "second@new.example"
    ask(client, "amaka@example.com")
    client.post(link())
    assert client.post(second).status_code == 410
    assert address(user) == "amaka@example.com"


def test_a_link_is_good_for_its_own_login_alone(user: User) -> None:
    ask(signed_in(user))
    stranger: User = UserFactory()
    client = signed_in(stranger)
    assert client.post(link()).status_code == 410
    assert Client().post(link()).status_code == 302
    assert address(user) == "amaka@example.com"
    assert address(stranger) == stranger.email


@pytest.mark.parametrize("token", ["bogus", "a:b:c", "x" * 400])
def test_made_up_links_do_nothing(user: User, token: str) -> None:
    client = signed_in(user)
    ask(client)
    assert client.post(f"{URL}{token}/").status_code == 410
    assert address(user) == "amaka@example.com"


def test_a_link_ends(user: User, clock: time_machine.Traveller) -> None:
    ask(signed_in(user))
    clock.shift(24 * 3600 + 1)
    assert signed_in(user).post(link()).status_code == 410


def test_an_address_of_another_login_is_not_told_and_not_given(user: User) -> None:
    other: User = UserFactory(email="taken@example.com")
    client = signed_in(user)
    ask(client, "free@example.com")
    free = text(client.get("/accounts/"))
    ask(client, other.email)
    taken = text(client.get("/accounts/"))
    assert taken == free.replace("free@example.com", other.email)
    response = client.post(link())
    assert response.status_code == 410
    assert "belongs to another login already" in text(response)
    assert address(user) == "amaka@example.com"
    assert EmailAddress.objects.filter(user=user).get().email == "amaka@example.com"


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@example.com\nBcc: b@example.com", "amaka@example.com", "AMAKA@example.com"]
)
def test_refused(user: User, email: str) -> None:
    client = signed_in(user)
    assert client.post(URL, {"email": email}).status_code == 422
    assert letters() == []
    assert User.objects.get(pk=user.pk).wanted_email == ""


def test_an_old_sign_in_is_asked_first(user: User, clock: time_machine.Traveller) -> None:
    client = signed_in(user)
    clock.shift(301)
    assert client.get(URL)["Location"].startswith("/accounts/reauthenticate/")
    assert client.post(URL, {"email": NEW})["Location"].startswith("/accounts/reauthenticate/")
    assert letters() == []


def test_not_too_many_links(user: User) -> None:
    client = signed_in(user)
    for number in range(5):
        ask(client, f"number{number}@new.example")
    assert client.post(URL, {"email": NEW}).status_code == 422
    assert len(letters()) == 5
