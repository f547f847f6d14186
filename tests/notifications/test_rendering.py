"""What arrives: names cannot make links or headers, links are ours, colors are inlined."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.template.loader import get_template
from django.utils import timezone

from lendconsole.tenancy import organization_context
from notifications import rendering
from notifications.letters import label_of
from notifications.links import absolute_url
from notifications.mailer import compose, message_id
from notifications.rendering import Body, disarm, disarm_html, render_body
from tests.notifications.conftest import Queue
from tests.world import World

EVIL_NAMES = [
    '<a href="http://evil.example">Ada</a>',
    "http://evil.example/login",
    "evil.example",
    "javascript:alert(1)",
    "https://console.example.com.evil.example/",
    "https://console.example.com@evil.example/",
    "Ada\r\nBcc: eve@evil.example",
    "www.evil.example",
]
LINK = re.compile(r"https?://[^\s\"'<>]+|(?<!@)\b(?:[\w-]+\.)+(?:example|com)\b(?!@)")


def _compose(inside: World, queue: Queue, **options: Any) -> tuple[Body, EmailMultiAlternatives]:
    email = queue(**options)
    organization = inside.kudi.organization
    body = render_body(email, organization)
    return body, compose(email, organization, body)


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_name_makes_no_link_and_no_header(inside: World, queue: Queue, name: str) -> None:
    body, message = _compose(inside, queue, payload={"name": name}, recipient_label=name)
    message.body = body.text
    wire = message.message()
    assert wire["Bcc"] is None
    assert [part.get_content_type() for part in wire.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    links = {link for text in (body.text, body.html, str(message.subject)) for link in LINK.findall(text)}
    assert {link for link in links if not link.startswith("https://console.example.com")} == set()
    assert not [link for link in links if "evil" in link]
    assert '<a href="http://evil' not in body.html


def test_links_and_addresses_of_ours_stay_whole(settings: Any) -> None:
    text = "Go to https://console.example.com/o/kudi/ or write to help@kudi.example. https://console.example.com"
    assert disarm(text) == text
    html = '<a href="https://console.example.com/x/">https://console.example.com/x/</a> evil.example'
    assert disarm_html(html) == html.replace("evil.", "evil.\u2060")


@pytest.mark.parametrize("text", ["10.30", "N1,000.50", "e.g. this", "Mr.Obi is here.", "Ọláídé Adébáyọ̀", "3.5 km."])
def test_ordinary_text_stays_readable(text: str) -> None:
    assert disarm(text).replace("\u2060", "") == text


def test_the_html_is_inlined_and_follows_dark_screens(inside: World, queue: Queue) -> None:
    body, _ = _compose(inside, queue)
    assert re.search(r"<h1 style=\"[^\"]+\"", body.html)
    assert "prefers-color-scheme: dark" in body.html
    assert inside.kudi.organization.name in body.html
    assert "You get this e-mail because" in body.html
    assert "You get this e-mail because" in body.text


def test_the_text_part_is_not_escaped(inside: World, queue: Queue) -> None:
    body, _ = _compose(inside, queue, payload={"name": "O'Neil & <Sons>"})
    assert "Hello O'Neil & <Sons>," in body.text
    assert "Hello O&#x27;Neil &amp; &lt;Sons&gt;" in body.html or "Hello O'Neil &amp; &lt;Sons&gt;" in body.html


def test_the_sender_is_the_lender_at_our_address(inside: World, queue: Queue) -> None:
    organization = inside.kudi.organization
    organization.name, organization.contact_email = 'Kudi, "Lagos" <x>', "help@kudi.example"
    _, message = _compose(inside, queue)
    wire = message.message()
    assert wire["From"] == '"Kudi, \\"Lagos\\" <x>" <no-reply@example.com>'
    assert wire["Reply-To"] == "help@kudi.example"
    assert wire["To"] == "Ada Obi <ada@example.com>"
    assert wire["Auto-Submitted"] == "auto-generated"


def test_names_of_any_script_arrive(inside: World, queue: Queue) -> None:
    inside.kudi.organization.name = "Ọ̀ṣun Microfinance"
    _, message = _compose(inside, queue, recipient_label="Ọláídé Adébáyọ̀")
    wire = message.message()
    assert wire["From"].endswith("<no-reply@example.com>")
    assert wire["To"].endswith("<ada@example.com>")
    wire.as_bytes()


def test_the_message_id_is_stable_and_ours(inside: World, world: World, queue: Queue) -> None:
    email, other = queue("1"), queue("2")
    assert re.fullmatch(rf"<outbox-{email.pk}\.[0-9a-f]{{16}}@console\.example\.com>", message_id(email))
    again = type(email).objects.get(pk=email.pk)
    assert message_id(again) == message_id(email) != message_id(other)


def test_times_are_the_lenders(world: World, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def look(kind: str) -> Any:
        seen.append(timezone.get_current_timezone_name())
        return get_template(kind)

    monkeypatch.setattr(rendering, "get_template", look)
    with organization_context(world.kudi.organization.pk):
        render_body(queue(), world.kudi.organization)
    assert seen == ["Africa/Lagos"]


@pytest.mark.parametrize("path", ["//evil.example/", "evil", "https://evil.example/"])
def test_only_paths_become_addresses(path: str) -> None:
    with pytest.raises(ValueError):
        absolute_url(path)


def test_kinds_have_names_for_people() -> None:
    assert label_of("tests/plain") == "Test letter"
    assert label_of("customers/no_longer_known") == "No longer known"
