"""Signing in with the code of the e-mail: once, for a while, in the browser that asked, and no other answer than "wrong"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from customers.models import BorrowerLink, Customer
from customers.services.borrowers import CODE_ATTEMPTS, CODE_LASTS
from customers.views.borrower import CODES_PER_HOUR
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from tests.customers.test_borrower import ask, mails, page, sign_ins
from tests.world import Lender, World

WRONG = "This code is wrong or no longer works."


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.delete_pattern("organization:*:borrower_*")


@pytest.fixture
def kudi(world: World) -> Lender:
    return world.kudi


def asked(lender: Lender, key: str = "own", client: Client | None = None) -> tuple[Client, str]:
    """A browser that asked, and the code of the e-mail that this brought."""
    client = client or Client()
    ask(lender, lender.customers[key].email, client)
    return client, code_of(lender)


def code_of(lender: Lender) -> str:
    with organization_context(lender.organization.pk):
        body = render_body(mails(lender)[-1], lender.organization)
    [code] = set(re.findall(r"\b\d{4} \d{4}\b", body.text))
    assert code in body.html
    return str(code)


def type_in(client: Client, lender: Lender, code: str) -> Any:
    return client.post(page("borrower_code", lender), {"code": code})


@pytest.mark.parametrize("written", ["{}", " {} ", "{}-"])
def test_the_code_opens_the_page(kudi: Lender, written: str) -> None:
    client, code = asked(kudi)
    response = type_in(client, kudi, written.format(code))
    assert (response.status_code, response["Location"]) == (302, page("borrower_page", kudi))
    assert kudi["account_manager"].name in client.get(page("borrower_page", kudi)).content.decode()
    assert sign_ins(kudi) == 1


def test_neither_outbox_nor_table_holds_the_code(kudi: Lender) -> None:
    _, code = asked(kudi)
    with organization_context(kudi.organization.pk):
        stored = f"{list(BorrowerLink.objects.values())} {list(OutgoingEmail.objects.values())}"
    assert code not in stored
    assert code.replace(" ", "") not in stored


def test_a_code_works_once_and_takes_its_link_along(kudi: Lender) -> None:
    client, code = asked(kudi)
    assert type_in(client, kudi, code).status_code == 302
    with organization_context(kudi.organization.pk):
        assert BorrowerLink.objects.get().used_at is not None
    again = type_in(client, kudi, code)
    assert again["Location"] == page("borrower_page", kudi), "the same button pressed twice"
    client.post(page("borrower_sign_out", kudi))
    refused(type_in(client, kudi, code))
    assert sign_ins(kudi) == 1


def refused(response: Any) -> None:
    assert response.status_code == 422
    assert WRONG in response.content.decode()
    assert "borrower" not in response.client.session


def test_another_browser_cannot_use_the_code(kudi: Lender) -> None:
    """Whoever talks a borrower out of the code has nothing."""
    _, code = asked(kudi)
    stranger = Client()
    refused(type_in(stranger, kudi, code))
    ask(kudi, kudi.customers["free"].email, stranger)
    refused(type_in(stranger, kudi, code))
    assert sign_ins(kudi) == 0


def test_the_code_of_an_earlier_address_does_not_open_the_later_one(kudi: Lender) -> None:
    client, first = asked(kudi)
    _, second = asked(kudi, "free", client)
    refused(type_in(client, kudi, first))
    assert type_in(client, kudi, second).status_code == 302


def test_asking_twice_leaves_both_codes_good(kudi: Lender) -> None:
    client, first = asked(kudi)
    asked(kudi, client=client)
    assert type_in(client, kudi, first).status_code == 302


def test_a_code_ends_by_the_clock_and_with_the_address(kudi: Lender) -> None:
    client, code = asked(kudi)
    with time_machine.travel(timezone.now() + CODE_LASTS + timedelta(seconds=1), tick=True):
        refused(type_in(client, kudi, code))
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["own"].pk).update(email="corrected@mail.example")
    refused(type_in(client, kudi, code))


def test_after_a_few_tries_even_the_right_code_is_refused(kudi: Lender) -> None:
    client, code = asked(kudi)
    wrong = "0000 0000" if code != "0000 0000" else "1111 1111"
    for _ in range(CODE_ATTEMPTS):
        refused(type_in(client, kudi, wrong))
    refused(type_in(client, kudi, code))
    assert sign_ins(kudi) == 0


def test_one_address_of_the_network_cannot_try_without_end(kudi: Lender) -> None:
    client, code = asked(kudi)
    for _ in range(CODES_PER_HOUR):
        assert type_in(Client(), kudi, "12345678").status_code == 422
    assert type_in(client, kudi, code).status_code == 429


def test_known_and_unknown_addresses_are_answered_alike(kudi: Lender) -> None:
    known, unknown = Client(), Client()
    ask(kudi, kudi.customers["own"].email, known)
    ask(kudi, "nobody@mail.example", unknown)
    for client in (known, unknown):
        for _ in range(CODE_ATTEMPTS + 1):
            refused(type_in(client, kudi, "00000000"))
    answers = [_plain(type_in(client, kudi, "00000000")) for client in (known, unknown)]
    assert answers[0] == answers[1]


def _plain(response: Any) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"', "", response.content.decode())


def test_who_has_not_asked_is_sent_to_the_form(world: World) -> None:
    assert Client().get(page("borrower_code", world.kudi))["Location"] == page("borrower_sign_in", world.kudi)
    client, code = asked(world.kudi)
    assert client.get(page("borrower_code", world.kudi)).status_code == 200
    assert client.get(page("borrower_code", world.rival)).status_code == 302
    refused(type_in(client, world.rival, code))


def test_an_e_mail_that_nobody_asked_for_carries_no_code(kudi: Lender) -> None:
    with organization_context(kudi.organization.pk):
        OutgoingEmail.objects.all().delete()
    ask(kudi, kudi.customers["own"].email)
    with organization_context(kudi.organization.pk):
        mail = OutgoingEmail.objects.get(kind="customers/borrower_link")
        mail.payload.pop("browser")
        text = render_body(mail, kudi.organization).text
        assert not re.search(r"\d{4} \d{4}", text)
        assert BorrowerLink.objects.get().code == ""
