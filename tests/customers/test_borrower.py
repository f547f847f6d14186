"""The borrower's page: how a link is asked for, opened and used up, and what the page tells."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.models import BorrowerLink, Customer
from customers.services.account_managers import assign_account_manager, remove_account_manager
from customers.services.borrowers import MAILS_AT_ONCE, borrower_page_url, history
from customers.views.borrower import REQUESTS_PER_HOUR
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from notifications.rendering import render_body
from teams.models import Member
from tests.world import Lender, World


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.delete_pattern("organization:*:borrower_*")


@pytest.fixture
def kudi(world: World) -> Lender:
    return world.kudi


def page(name: str, lender: Lender, *args: str) -> str:
    return reverse(f"customers_public:{name}", args=[lender.organization.slug, *args])


def ask(lender: Lender, email: str, client: Client | None = None) -> Any:
    return (client or Client()).post(page("borrower_sign_in", lender), {"email": email}, follow=True)


def mails(lender: Lender) -> list[OutgoingEmail]:
    with organization_context(lender.organization.pk):
        return list(OutgoingEmail.objects.filter(kind="customers/borrower_link").order_by("pk"))


def link_for(lender: Lender, key: str = "own") -> str:
    """The path of a fresh link, as a mail carries it."""
    with organization_context(lender.organization.pk):
        url = borrower_page_url(Customer.objects.get(pk=lender.customers[key].pk))
    return url.removeprefix(settings.BASE_URL)


def signed_in(lender: Lender, key: str = "own") -> Client:
    client = Client()
    assert client.post(link_for(lender, key)).status_code == 302
    return client


def sign_ins(lender: Lender) -> int:
    with organization_context(lender.organization.pk):
        return AuditEvent.objects.filter(verb=Verb.BORROWER_SIGNED_IN).count()


# Asking for a link


def test_a_known_address_gets_a_link_and_an_unknown_one_the_same_answer(kudi: Lender) -> None:
    known, unknown = ask(kudi, kudi.customers["own"].email.upper()), ask(kudi, "nobody@example.com")
    assert known.status_code == unknown.status_code == 200
    sentence = f"If this address is known to {kudi.organization.name}, an e-mail with a link and a code is on its way."
    assert sentence in known.content.decode()
    assert _without_tokens(known) == _without_tokens(unknown)
    assert known.redirect_chain == unknown.redirect_chain
    [mail] = mails(kudi)
    assert (mail.recipient, mail.recipient_label) == (kudi.customers["own"].email, kudi.customers["own"].name)
    assert mail.subject == f"Your link to your page at {kudi.organization.name}"


def _without_tokens(response: Any) -> str:
    text = re.sub(r'"X-CSRFToken": "[^"]+"', "", response.content.decode())
    return re.sub(r'csrfmiddlewaretoken" value="[^"]+"', "", text)


def test_the_mail_carries_a_link_that_works_and_the_outbox_does_not(kudi: Lender) -> None:
    ask(kudi, kudi.customers["own"].email)
    [mail] = mails(kudi)
    assert "/link/" not in str(mail.payload)
    with organization_context(kudi.organization.pk):
        body = render_body(mail, kudi.organization)
    [url] = set(re.findall(r"http\S+/link/\S+", body.text))
    assert url in body.html
    assert "for 72 hours" in body.text
    assert Client().post(url.removeprefix(settings.BASE_URL)).status_code == 302


def test_the_letter_stays_unsent_when_the_address_has_changed(kudi: Lender) -> None:
    ask(kudi, kudi.customers["own"].email)
    [mail] = mails(kudi)
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["own"].pk).update(email="new@example.com")
        with pytest.raises(Exception, match="e-mail address has changed"):
            render_body(mail, kudi.organization)


@pytest.mark.parametrize("email", ["", "grace", "a@b@c.de", "x" * 300 + "@example.com"])
def test_what_is_no_address_is_said_beside_the_field(kudi: Lender, email: str) -> None:
    response = ask(kudi, email)
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    assert not mails(kudi)


def test_one_customer_gets_few_mails_at_once(kudi: Lender) -> None:
    for _ in range(MAILS_AT_ONCE + 2):
        assert "is on its way" in ask(kudi, kudi.customers["own"].email).content.decode()
    assert len(mails(kudi)) == MAILS_AT_ONCE
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=True):
        ask(kudi, kudi.customers["own"].email)
    assert len(mails(kudi)) == MAILS_AT_ONCE + 1


def test_one_address_of_the_network_cannot_ask_without_end(world: World) -> None:
    for number in range(REQUESTS_PER_HOUR):
        assert ask(world.kudi, f"guess{number}@example.com").status_code == 200
    refused = ask(world.kudi, world.kudi.customers["own"].email)
    assert refused.status_code == 429
    assert not mails(world.kudi)
    assert ask(world.rival, world.rival.customers["own"].email).status_code == 200
    assert len(mails(world.rival)) == 1


def test_looking_at_the_form_does_nothing(kudi: Lender) -> None:
    for _ in range(3):
        assert Client().get(page("borrower_sign_in", kudi), {"email": kudi.customers["own"].email}).status_code == 200
    assert not mails(kudi)


def test_an_address_known_to_another_lender_gets_nothing_here(world: World) -> None:
    ask(world.kudi, world.rival.customers["own"].email)
    assert not mails(world.kudi)
    assert not mails(world.rival)


@pytest.mark.parametrize("name", ["borrower_sign_in", "borrower_page"])
def test_an_unknown_or_suspended_lender_has_no_page(kudi: Lender, name: str) -> None:
    assert Client().get(reverse(f"customers_public:{name}", args=["nowhere"])).status_code == 404
    kudi.organization.suspended_at = timezone.now()
    kudi.organization.save()
    assert Client().get(page(name, kudi)).status_code == 404


# Opening a link


def test_scanners_may_open_the_link_and_its_button_uses_it_up(kudi: Lender) -> None:
    path, client = link_for(kudi), Client()
    for _ in range(5):
        response = Client().get(path)
        assert "Open my page" in response.content.decode()
        assert Client().head(path).status_code == 200
    assert sign_ins(kudi) == 0
    response = client.post(path)
    assert (response.status_code, response["Location"]) == (302, page("borrower_page", kudi))
    assert sign_ins(kudi) == 1
    assert client.get(page("borrower_page", kudi)).status_code == 200


def test_a_link_opens_once(kudi: Lender) -> None:
    path, client = link_for(kudi), Client()
    client.post(path)
    for response in (Client().post(path), Client().get(path)):
        assert response.status_code == 410
        assert "was used already" in response.content.decode()
        assert "Get a new link" in response.content.decode()
    assert sign_ins(kudi) == 1
    assert client.post(path)["Location"] == page("borrower_page", kudi), "the same button pressed twice"


def test_a_link_ends_by_the_clock(kudi: Lender) -> None:
    path = link_for(kudi)
    with time_machine.travel(timezone.now() + timedelta(hours=settings.BORROWER_LINK_HOURS, seconds=1), tick=True):
        response = Client().post(path)
    assert response.status_code == 410
    assert "has expired" in response.content.decode()
    assert sign_ins(kudi) == 0


def test_a_link_dies_with_the_address_it_was_sent_to(kudi: Lender) -> None:
    path = link_for(kudi)
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["own"].pk).update(email="corrected@example.com")
    assert Client().post(path).status_code == 410


def test_what_is_stored_opens_nothing(kudi: Lender) -> None:
    link_for(kudi)
    with organization_context(kudi.organization.pk):
        stored = BorrowerLink.objects.get()
    for token in (stored.nonce, str(stored.pk), signing.dumps({"l": stored.pk, "n": stored.nonce})):
        assert Client().post(page("borrower_link", kudi, token)).status_code == 410


@pytest.mark.parametrize("change", ["cut", "swapped", "garbage", "other purpose", "no fields", "not a mapping"])
def test_a_broken_link_offers_a_new_one(kudi: Lender, change: str) -> None:
    token = link_for(kudi).split("/")[-2]
    broken = {
        "cut": token[:-1],
        "swapped": ("A" if token[0] != "A" else "B") + token[1:],
        "garbage": "x" * 2000,
        "other purpose": signing.dumps(signing.loads(token, salt="customers.borrower_link"), salt="teams.invitation"),
        "no fields": signing.dumps({}, salt="customers.borrower_link"),
        "not a mapping": signing.dumps([1], salt="customers.borrower_link"),
    }[change]
    for response in (
        Client().get(page("borrower_link", kudi, broken)),
        Client().post(page("borrower_link", kudi, broken)),
    ):
        assert response.status_code == 410
        assert "Get a new link" in response.content.decode()
    assert sign_ins(kudi) == 0


def test_a_link_of_one_lender_opens_nothing_at_another(world: World) -> None:
    token = link_for(world.kudi).split("/")[-2]
    assert Client().post(page("borrower_link", world.rival, token)).status_code == 410
    assert Client().post(page("borrower_link", world.kudi, token)).status_code == 302


def test_a_post_without_the_form_token_is_refused(kudi: Lender) -> None:
    path = link_for(kudi)
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403
    assert Client().post(path).status_code == 302


def test_signing_in_gives_a_new_session(kudi: Lender) -> None:
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies[settings.SESSION_COOKIE_NAME] = planted
    client.post(link_for(kudi))
    assert client.session.session_key != planted
    assert "borrower" not in Client().session


# The page


def test_the_page_names_the_present_manager_and_nothing_of_the_console(kudi: Lender) -> None:
    manager = kudi["account_manager"]
    with organization_context(kudi.organization.pk):
        Member.objects.filter(pk=manager.pk).update(phone="+2348034129981")
    text = signed_in(kudi).get(page("borrower_page", kudi)).content.decode()
    for word in (
        manager.name,
        manager.office.name,
        manager.user.email,
        "0803 412 9981",
        "Since",
        kudi.organization.name,
    ):
        assert word in text
    assert f"/o/{kudi.organization.slug}/" not in text
    assert kudi.customers["own"].address not in text


def test_the_page_is_read_anew_each_time(kudi: Lender) -> None:
    client, path = signed_in(kudi), page("borrower_page", kudi)
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["own"].pk).update(account_manager=kudi["other_manager"])
    assert kudi["other_manager"].user.email in client.get(path).content.decode()
    with organization_context(kudi.organization.pk):
        Customer.objects.filter(pk=kudi.customers["own"].pk).update(account_manager=None)
    assert "no account manager at the moment" in client.get(path).content.decode()


@pytest.mark.parametrize("change", ["deactivated", "locked"])
def test_somebody_who_can_no_longer_act_is_not_shown(kudi: Lender, change: str) -> None:
    manager = kudi["account_manager"]
    with organization_context(kudi.organization.pk):
        if change == "deactivated":
            Member.objects.filter(pk=manager.pk).update(status=Member.Status.DEACTIVATED)
        else:
            type(manager.user).objects.filter(pk=manager.user_id).update(is_active=False)
    text = signed_in(kudi).get(page("borrower_page", kudi)).content.decode()
    assert manager.user.email not in text
    assert "no account manager at the moment" in text


def test_the_lenders_contact_stands_on_every_page(kudi: Lender) -> None:
    kudi.organization.contact_email = "help@kudi.example"
    kudi.organization.contact_phone = "+2348034129981"
    kudi.organization.save()
    client = signed_in(kudi)
    for text in (client.get(page("borrower_page", kudi)), Client().get(page("borrower_sign_in", kudi))):
        assert "help@kudi.example" in text.content.decode()
        assert "0803 412 9981" in text.content.decode()


def test_a_stranger_is_sent_to_the_form(kudi: Lender) -> None:
    response = Client().get(page("borrower_page", kudi))
    assert (response.status_code, response["Location"]) == (302, page("borrower_sign_in", kudi))


def test_the_page_closes_after_half_an_hour(kudi: Lender) -> None:
    client = signed_in(kudi)
    with time_machine.travel(timezone.now() + timedelta(minutes=29), tick=True):
        assert client.get(page("borrower_page", kudi)).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=True):
        assert client.get(page("borrower_page", kudi)).status_code == 302


def test_the_page_of_one_lender_opens_none_of_another(world: World) -> None:
    client = signed_in(world.kudi)
    assert client.get(page("borrower_page", world.rival)).status_code == 302


def test_signing_out_closes_the_page_and_leaves_a_member_signed_in(kudi: Lender) -> None:
    client = kudi.client("admin")
    client.post(link_for(kudi))
    assert client.get(page("borrower_page", kudi)).status_code == 200
    assert client.get(page("borrower_sign_out", kudi)).status_code == 405
    assert client.post(page("borrower_sign_out", kudi)).status_code == 302
    assert client.get(page("borrower_page", kudi)).status_code == 302
    assert "_auth_user_id" in client.session


def test_to_the_console_a_borrower_is_a_stranger(kudi: Lender) -> None:
    client = signed_in(kudi)
    for path in ("", "customers/", f"customers/{kudi.customers['own'].pk}/", "settings/members/", "audit/"):
        response = client.get(kudi.url(path))
        assert response.status_code == 302
        assert response["Location"].startswith(reverse(settings.LOGIN_URL))
    assert "_auth_user_id" not in client.session


def test_pages_are_kept_by_nobody_and_tell_no_referrer(kudi: Lender) -> None:
    response = signed_in(kudi).get(page("borrower_page", kudi))
    assert response["Cache-Control"] == "no-store"
    assert Client().get(link_for(kudi))["Referrer-Policy"] == "same-origin"


def test_old_links_are_forgotten(kudi: Lender) -> None:
    link_for(kudi)
    with organization_context(kudi.organization.pk):
        BorrowerLink.objects.update(expires_at=timezone.now() - timedelta(days=31))
    link_for(kudi)
    with organization_context(kudi.organization.pk):
        assert BorrowerLink.objects.count() == 1


# What has changed


def test_the_page_tells_who_looked_after_the_customer_and_no_reasons(kudi: Lender) -> None:
    own, first, second = kudi.customers["own"], kudi["account_manager"], kudi["other_manager"]
    with organization_context(kudi.organization.pk):
        assign_account_manager(actor=kudi["admin"], customer=own, manager=second, reason="Complained about her tone")
        remove_account_manager(actor=kudi["admin"], customer=own, reason="Pays badly")
        sentences = [change.sentence for change in history(Customer.objects.get(pk=own.pk))]
    assert sentences == [
        f"{second.name} stopped being your account manager.",
        f"{second.name} took over from {first.name}.",
        f"{first.name} became your account manager.",
    ]
    text = signed_in(kudi).get(page("borrower_page", kudi)).content.decode()
    assert all(sentence in text for sentence in sentences)
    assert "Complained" not in text
    assert "Pays badly" not in text


def test_a_time_without_anybody_shows_as_one(kudi: Lender) -> None:
    own, manager = kudi.customers["own"], kudi["account_manager"]
    with organization_context(kudi.organization.pk):
        remove_account_manager(actor=kudi["admin"], customer=own)
        own.refresh_from_db()
        with time_machine.travel(timezone.now() + timedelta(days=3), tick=True):
            assign_account_manager(actor=kudi["admin"], customer=own, manager=manager)
        verbs = [change.sentence.removeprefix(manager.name) for change in history(own)]
    assert verbs == [
        " became your account manager.", " stopped being your account manager.", " became your account manager."
    ]  # fmt: skip
