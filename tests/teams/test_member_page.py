"""A member's own page: what each reader sees of it, and signing somebody out everywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from lendconsole.errors import NotVisible, PermissionMissing
from teams import services
from teams.errors import MemberAboveActor, OwnMembership
from teams.models import Member
from tests.factories import RoleFactory
from tests.pages import text
from tests.teams.support import extra_member, inside, invitation_for, refused, verbs
from tests.world import Lender, World


def url(lender: Lender, target: Member, rest: str = "profile/") -> str:
    return lender.url(f"settings/members/{target.pk}/{rest}")


def test_shows_everything_to_an_admin(world: World) -> None:
    kudi = world.kudi
    target = kudi["account_manager"]
    with inside(kudi):
        invitation_for(kudi, by="account_manager", first_name="Waiting")
        services.change_member(
            actor=kudi["admin"], member=target, role=target.role, office=kudi.other_branch, version=1
        )
    page = text(kudi.client("admin").get(url(kudi, target)))
    for words in (
        target.user.email,
        "Active since",
        "Account Manager",
        "Kano T1",
        "1 dedicated to Account",
        "Open full profiles (own customers)",
        "Waiting Eze",
        "Manage user",
        "End all sessions",
        "gave a new office to",
        "Ikeja T1 → Kano T1",
    ):
        assert words in page, words
    assert "T-2" not in page


def test_shows_where_somebody_is_signed_in_to_those_who_may_end_it(world: World) -> None:
    kudi, target = world.kudi, world.kudi["account_manager"]
    with inside(kudi):
        used = {"ip": "203.0.113.9", "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
        UserSession.objects.create(user=target.user, session_key="open", **used)
        old = UserSession.objects.create(user=target.user, session_key="old", ip="203.0.113.9", user_agent="Edg/140")
        UserSession.objects.filter(pk=old.pk).update(last_seen_at=timezone.now() - timedelta(minutes=31))
    page = text(kudi.client("admin").get(url(kudi, target)))
    assert "Firefox on Linux Signed in" in page
    assert "Edge" not in page
    assert "203.0.113.9" not in page
    assert "Firefox" not in text(kudi.client("compliance").get(url(kudi, target)))
    assert "is not signed in anywhere" in text(kudi.client("admin").get(url(kudi, kudi["loan_officer"])))


def test_shows_a_reader_no_more_than_they_may_know(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        invitation_for(kudi, by="account_manager", first_name="Waiting")
    page = text(kudi.client("no_users_unit").get(url(kudi, kudi["account_manager"])))
    for words in ("Waiting Eze", "Manage user", "End all sessions", "What they did", "dedicated to"):
        assert words not in page, words
    page = text(kudi.client("admin").get(url(kudi, kudi["super_admin"])))
    assert "Manage user" not in page
    assert "End all sessions" not in page


def test_out_of_reach_it_does_not_exist(world: World) -> None:
    kudi = world.kudi
    with inside(kudi):
        role = RoleFactory(organization=kudi.organization, name="Lead", reaches={"members.view": "office"})
        kudi.members["lead"] = extra_member(kudi, "", role=role, office=kudi.other_branch)
    client = kudi.client("lead")
    assert client.get(url(kudi, kudi["other_manager"])).status_code == 200
    for target in (kudi["account_manager"], world.rival["other_manager"]):
        assert client.get(url(kudi, target)).status_code == 404


def test_names_in_the_list_lead_here(world: World) -> None:
    page = world.kudi.client("compliance").get(world.kudi.url("settings/members/"))
    assert url(world.kudi, world.kudi["admin"]) in page.content.decode()


def test_all_sessions_end_on_the_next_request(world: World) -> None:
    kudi = world.kudi
    target = kudi["customer_support"]
    browsers = [kudi.client("customer_support") for _ in range(2)]
    other = kudi.client("loan_officer")
    for browser in (*browsers, other):
        assert browser.get(kudi.url()).status_code == 200
    response = kudi.client("admin").post(url(kudi, target, "sessions/"), follow=True)
    assert f"{target.name} is signed out everywhere." in text(response)
    for browser in browsers:
        assert browser.get(kudi.url()).status_code == 302
    assert other.get(kudi.url()).status_code == 200
    assert not UserSession.objects.filter(user=target.user).exists()
    with inside(kudi):
        assert verbs() == ["member.sessions_ended"]


def test_nobody_signs_out_those_they_may_not_touch(world: World) -> None:
    kudi, rival = world.kudi, world.rival
    kudi.client("super_admin").get(kudi.url())
    rival.client("admin").get(rival.url())
    count = UserSession.objects.count()
    for actor, target, error in (
        ("admin", kudi["super_admin"], MemberAboveActor),
        ("admin", kudi["admin"], OwnMembership),
        ("compliance", kudi["admin"], PermissionMissing),
        ("account_manager", kudi["admin"], NotVisible),
        ("super_admin", rival["admin"], NotVisible),
    ):
        with inside(kudi), refused(error):
            services.end_member_sessions(actor=kudi[actor], member=target)
    assert UserSession.objects.count() == count


@pytest.mark.parametrize("rest", ["profile/", "sessions/"])
def test_members_of_another_lender_do_not_exist(world: World, rest: str) -> None:
    client = world.kudi.client("super_admin")
    assert client.get(url(world.kudi, world.rival["compliance"], rest)).status_code == 404
