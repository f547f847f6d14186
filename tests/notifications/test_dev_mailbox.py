"""/dev/mailbox: what a newcomer reads instead of an inbox."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lendconsole.tenancy import organization_context
from notifications import tasks
from notifications.models import OutgoingEmail
from notifications.services import queue_account_email
from tests.notifications.conftest import Queue
from tests.world import World


@pytest.fixture
def _development(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.notifications.development_urls"
    settings.KEEP_SENT_BODIES = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    monkeypatch.setattr(tasks, "publish", lambda *args, **options: False)


@pytest.mark.usefixtures("_development")
def test_everybodys_emails_are_there_with_links_to_follow(world: World, queue: Queue) -> None:
    for lender in (world.kudi, world.rival):
        with organization_context(lender.organization.pk):
            queue(payload={"name": f"<i>{lender.organization.slug}</i>"})
            queue("held", hold_seconds=60)
    queue_account_email(recipient="ada@example.com", subject="Reset", text="https://console.example.com/reset/")
    tasks.sweep()
    page = Client().get("/dev/mailbox/").content.decode()
    assert "Hello &lt;i&gt;kudi&lt;/i&gt;" in page
    assert "Hello &lt;i&gt;rival&lt;/i&gt;" in page
    assert '<a href="https://console.example.com/o/kudi/"' in page
    assert '<a href="https://console.example.com/reset/"' in page
    assert page.count("Held until") == 2


@pytest.mark.usefixtures("_development")
def test_the_html_is_shown_as_it_arrives_and_may_do_nothing(world: World, queue: Queue) -> None:
    with organization_context(world.kudi.organization.pk):
        email = queue()
    tasks.sweep()
    response = Client().get(f"/dev/mailbox/{world.kudi.organization.pk}/{email.pk}/")
    assert "<h1 style=" in response.content.decode()
    policy = response.headers["Content-Security-Policy"]
    assert "style-src 'unsafe-inline'" in policy
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    for path in (f"{world.rival.organization.pk}/{email.pk}", f"0/{email.pk}", "999999/1"):
        assert Client().get(f"/dev/mailbox/{path}/").status_code == 404


def test_there_is_no_such_page_in_production(world: World, queue: Queue) -> None:
    with organization_context(world.kudi.organization.pk):
        email = queue()
        OutgoingEmail.objects.filter(pk=email.pk).update(sent_body={"text": "x", "html": "x"})
    for path in ("", f"{world.kudi.organization.pk}/{email.pk}/"):
        assert world.kudi.client("super_admin").get(f"/dev/mailbox/{path}").status_code == 404
