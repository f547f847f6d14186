"""The page behind the link: what each visitor sees, that opening it changes nothing, and the four outcomes by hand."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from teams import services
from teams.invitation_links import make_token
from teams.models import Invitation, Member
from teams.views import admission
from tests.factories import UserFactory
from tests.pages import text
from tests.teams.support import extra_member, fresh, inside, invitation_for, rows
from tests.world import Lender, World

PASSWORD = "many calm green rivers"
PERSON = {"first_name": "Ngozi", "last_name": "Eze", "password1": PASSWORD, "password2": PASSWORD}
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def link(invitation: Invitation, slug: str = "kudi") -> str:
    return f"/invitation/{slug}/{make_token(invitation)}/"


def browser(user: User | None = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def kudi(world: World) -> Lender:
    return world.kudi


def invited(lender: Lender, **facts: Any) -> Invitation:
    with inside(lender):
        return invitation_for(lender, **facts)


def test_a_new_person_joins(kudi: Lender) -> None:
    invitation, client = invited(kudi), browser()
    page = text(client.get(link(invitation), follow=True))
    for words in ("Join Kudi T1-Bank", "Admin T1-Staff invites you", "Account Manager", "Ikeja T1", invitation.email):
        assert words in page, words
    response = client.post("/invitation/kudi/", PERSON, follow=True)
    assert response.redirect_chain[-1][0] == kudi.url()
    assert "Welcome to Kudi T1-Bank. You are Account Manager in Ikeja T1." in text(response)
    user = User.objects.get(email=invitation.email)
    assert UserSession.objects.filter(user=user).count() == 1
    assert "invitations" not in {key for key, value in client.session.items() if value}


def test_the_session_gets_a_new_id_when_somebody_is_signed_in(kudi: Lender) -> None:
    client = browser()
    client.get(link(invited(kudi)))
    before = client.session.session_key
    client.post("/invitation/kudi/", PERSON)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_opening_the_link_has_no_effect(kudi: Lender) -> None:
    invitation, client = invited(kudi), browser()
    with inside(kudi):
        before = rows()
    for _ in range(5):
        response = client.get(link(invitation))
        assert response.url == "/invitation/kudi/"
        assert client.get("/invitation/kudi/").status_code == 200
        assert client.head(link(invitation)).status_code == 302
    with inside(kudi):
        assert rows() == before
    assert response["Referrer-Policy"] == "same-origin"


def test_the_session_holds_no_usable_link(kudi: Lender) -> None:
    invitation, client = invited(kudi), browser()
    client.get(link(invitation))
    assert make_token(invitation).split(":")[-1] not in str(dict(client.session))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password2": "something else entirely"}, "The two passwords differ"),
        ({"password1": "short", "password2": "short"}, "at least"),
        ({"password1": "password1234", "password2": "password1234"}, "Choose another one"),
        ({"first_name": "<script>"}, "cannot contain"),
        ({"last_name": ""}, "Fill this in"),
    ],
)
def test_bad_input_is_explained_and_consumes_nothing(kudi: Lender, changes: dict[str, str], words: str) -> None:
    invitation, client = invited(kudi), browser()
    client.get(link(invitation))
    response = client.post("/invitation/kudi/", {**PERSON, **changes})
    assert response.status_code == 422
    assert words in text(response)
    assert PASSWORD not in response.content.decode()
    with inside(kudi):
        assert fresh(invitation).is_open


def test_extra_fields_change_nothing(kudi: Lender, world: World) -> None:
    """The address, the role and the office are the invitation's, whatever is posted."""
    invitation, client = invited(kudi), browser()
    client.get(link(invitation))
    extra = {
        "email": "other@example.com",
        "role": kudi.roles["super_admin"].pk,
        "office": kudi.head.pk,
        "organization": world.rival.organization.pk,
        "is_staff": "on",
        "is_superuser": "on",
    }
    client.post("/invitation/kudi/", {**PERSON, **extra})
    with inside(kudi):
        member = Member.objects.get(user__email=invitation.email)
        assert (member.role, member.office) == (kudi.roles["account_manager"], kudi.branch)
        assert not member.user.is_superuser
    assert not User.objects.filter(email="other@example.com").exists()


def test_an_existing_login_signs_in_and_accepts(kudi: Lender, world: World) -> None:
    user = world.rival["loan_officer"].user
    invitation, client = invited(kudi, email=user.email), browser()
    page = client.get(link(invitation), follow=True)
    assert "Sign in to accept" in text(page)
    assert "?next=/invitation/kudi/" in page.content.decode()
    assert client.post("/invitation/kudi/", PERSON).status_code == 200
    assert not fresh(user).check_password(PASSWORD)
    client.post("/accounts/login/?next=/invitation/kudi/", {"login": user.email, "password": "correct horse battery 9"})
    page = client.get("/invitation/kudi/")
    assert "Your login and its password stay as they are." in text(page)
    response = client.post("/invitation/kudi/", follow=True)
    assert response.redirect_chain[-1][0] == kudi.url()


def test_another_account_sees_both_addresses_and_goes_on(kudi: Lender) -> None:
    invitation = invited(kudi)
    other: User = UserFactory()
    client = browser(other)
    page = text(client.get(link(invitation), follow=True))
    assert other.email in page
    assert invitation.email in page
    assert "Sign out and go on" in page
    assert client.post("/invitation/kudi/", PERSON).status_code == 200
    with inside(kudi):
        assert fresh(invitation).is_open
    page = text(client.post("/invitation/kudi/sign-out/", follow=True))
    assert "Choose a password" in page
    assert "_auth_user_id" not in client.session


def test_a_former_member_comes_back(kudi: Lender) -> None:
    with inside(kudi):
        former = extra_member(kudi, "compliance", status="deactivated")
    invitation, client = invited(kudi, email=former.user.email), browser(former.user)
    assert "Welcome back to Kudi" in text(client.get(link(invitation), follow=True))
    response = client.post("/invitation/kudi/", follow=True)
    assert response.redirect_chain[-1][0] == kudi.url()
    with inside(kudi):
        assert fresh(former).role == kudi.roles["account_manager"]


def test_a_member_has_nothing_to_accept(kudi: Lender) -> None:
    user = kudi["compliance"].user
    invitation, client = invited(kudi, email=user.email), browser(user)
    assert "You are already a team member" in text(client.get(link(invitation), follow=True))


def test_pressed_twice_leads_to_the_same_place(kudi: Lender, world: World) -> None:
    user = world.rival["admin"].user
    client = browser(user)
    client.get(link(invited(kudi, email=user.email)))
    session = client.session
    kept = session["invitations"]
    client.post("/invitation/kudi/")
    session = client.session
    session["invitations"] = kept
    session.save()
    response = client.post("/invitation/kudi/")
    assert (response.status_code, response.url) == (302, kudi.url())


@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        ({"expires_at": timezone.now() - timedelta(days=2)}, 410, "It expired on"),
        ({"revoked_at": timezone.now()}, 410, "It was revoked on"),
        ({"accepted_at": timezone.now()}, 410, "An invitation works once"),
    ],
)
def test_dead_links_say_why_and_whom_to_ask(kudi: Lender, facts: dict[str, Any], status: int, words: str) -> None:
    invitation, client = invited(kudi, **facts), browser()
    response = client.get(link(invitation), follow=True)
    assert response.status_code == status
    assert words in text(response)
    assert ("Ask Admin T1-Staff for a new one" in text(response)) == ("accepted_at" not in facts)
    assert client.post("/invitation/kudi/", PERSON).status_code == status


def test_what_happens_after_the_page_was_loaded_counts(kudi: Lender) -> None:
    invitation, client = invited(kudi), browser()
    assert client.get(link(invitation), follow=True).status_code == 200
    with inside(kudi):
        services.resend_invitation(actor=kudi["admin"], invitation=invitation)
    response = client.post("/invitation/kudi/", PERSON)
    assert response.status_code == 410
    assert "A newer link was sent" in text(response)
    with inside(kudi):
        Member.objects.filter(pk=kudi["admin"].pk).update(status="deactivated")
    response = client.get(link(fresh_in(kudi, invitation)), follow=True)
    assert "no longer valid" in text(response)


def fresh_in(lender: Lender, invitation: Invitation) -> Invitation:
    with inside(lender):
        row: Invitation = fresh(invitation)
        return row


def test_foreign_and_broken_links_reveal_nothing(kudi: Lender, world: World) -> None:
    """Another lender's link, a cut one and an unknown lender look the same."""
    with inside(world.rival):
        foreign = invitation_for(world.rival)
    bodies = set()
    for path in (
        link(foreign, "kudi"),
        link(foreign, "nobody"),
        "/invitation/kudi/x/",
        "/invitation/kudi/",
        "/invitation/nobody/",
    ):
        response = browser().get(path, follow=True)
        assert response.status_code == 404
        bodies.add(re.sub(r'[A-Za-z0-9]{64}|csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode()))
    assert len(bodies) == 1
    assert "T1-" not in bodies.pop()


def test_a_visitor_without_the_link_does_not_learn_of_logins(kudi: Lender, world: World) -> None:
    invited(kudi, email=world.rival["admin"].user.email)
    assert browser().get("/invitation/kudi/").status_code == 404


def test_bad_links_are_limited_and_good_ones_are_not(kudi: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "BAD_LINKS_PER_HOUR", 3)
    client = browser()
    statuses = [client.get("/invitation/kudi/x/").status_code for _ in range(5)]
    assert statuses == [302, 302, 302, 429, 429]
    assert client.get(link(invited(kudi)), follow=True).status_code == 200


def test_a_suspended_lender_has_no_invitations(kudi: Lender) -> None:
    invitation = invited(kudi)
    services.suspend_organization(organization=kudi.organization)
    assert browser().get(link(invitation), follow=True).status_code == 404


def test_accepting_needs_the_csrf_token(kudi: Lender) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(link(invited(kudi)))
    assert client.post("/invitation/kudi/", PERSON).status_code == 403
