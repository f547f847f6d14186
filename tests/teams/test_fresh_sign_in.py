"""What weighs most asks first who sits here: roles, the security policy, the export, and the end of a Super Admin."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from teams.models import Member, Role
from tests.factories import PASSWORD
from tests.matrix import edited_role
from tests.teams.support import extra_member, fresh, inside, rows
from tests.world import Lender, World

DIALOG = {"HX-Request": "true", "HX-Target": "dialog-content"}
CONFIRM = "/accounts/reauthenticate/"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def kudi(world: World) -> Lender:
    """With a second Super Admin, so that the first can be let go."""
    lender = world.kudi
    with inside(lender):
        lender.members["second"] = extra_member(lender, "super_admin", office=lender.head)
    return lender


def guarded(kudi: Lender) -> dict[str, dict[str, Any]]:
    role, second = kudi.roles["no_users_unit"].pk, kudi["second"].pk
    policy = {"session_idle_minutes": 15, "session_hours": 8, "version": 1}
    with inside(kudi):
        edited = edited_role(kudi)
    return {
        "settings/roles/new/": {**edited, "name": "Newest"},
        f"settings/roles/{role}/clone/": {"name": "Cloned"},
        f"settings/roles/{role}/edit/": edited,
        f"settings/roles/{role}/delete/": {"replacement": kudi.roles["compliance"].pk},
        "settings/security/": policy,
        f"settings/members/{second}/": {"role": kudi.roles["admin"].pk, "office": kudi.head.pk, "version": 1},
        f"settings/members/{second}/deactivate/": {},
        f"settings/members/{second}/remove/": {},
        "settings/members/change/": {"chosen": f"{second}:1", "role": kudi.roles["admin"].pk, "change": "1"},
        "membership/leave/": {"name": kudi.organization.name},
    }


def asked_for(path: str) -> str:
    return f"{CONFIRM}?next={quote(path, safe='')}"


def confirm(client: Client, location: str) -> str:
    """Types the password on the page that asks, and says where that leads."""
    path, _, query = location.partition("?")
    assert path == CONFIRM
    assert client.get(location).status_code == 200
    following = html.unescape(query.removeprefix("next="))
    response = client.post(path, {"password": PASSWORD, "next": requote(following)})
    assert response.status_code == 302
    return str(response["Location"])


def requote(text: str) -> str:
    return text.replace("%2F", "/").replace("%3F", "?").replace("%3D", "=").replace("%26", "&")


def test_an_old_sign_in_is_asked_before_anything_is_typed(kudi: Lender, clock: time_machine.Traveller) -> None:
    client = kudi.client("super_admin")
    paths = [kudi.url(path) for path in guarded(kudi) if not path.endswith("change/")]
    assert [client.get(path).status_code for path in paths] == [200] * len(paths)
    clock.shift(301)
    for path in paths:
        assert client.get(path)["Location"] == asked_for(path), path
        assert client.get(path, headers=DIALOG)["HX-Redirect"] == asked_for(path), path


def test_afterwards_the_page_opens(kudi: Lender, clock: time_machine.Traveller) -> None:
    client = kudi.client("super_admin")
    client.get(kudi.url())
    clock.shift(301)
    path = kudi.url("settings/security/")
    assert confirm(client, client.get(path)["Location"]) == path
    assert client.get(path).status_code == 200


def test_a_form_that_grew_old_keeps_what_was_typed_and_does_nothing(
    kudi: Lender, clock: time_machine.Traveller
) -> None:
    client = kudi.client("super_admin")
    client.get(kudi.url())
    clock.shift(301)
    for path, typed in guarded(kudi).items():
        with inside(kudi):
            before = rows()
        response = client.post(kudi.url(path), typed, headers=DIALOG if "members" in path else {})
        page = response.content.decode()
        assert response.status_code == 422, path
        assert "Confirm that it is you" in page, path
        assert f'href="{CONFIRM}?next=%2Faccounts%2Fconfirmed%2F"' in page, path
        with inside(kudi):
            assert rows() == before, path
    assert (
        'value="Newest"'
        in client.post(kudi.url("settings/roles/new/"), guarded(kudi)["settings/roles/new/"]).content.decode()
    )


def test_after_confirming_beside_it_the_same_form_goes_through(kudi: Lender, clock: time_machine.Traveller) -> None:
    client = kudi.client("super_admin")
    client.get(kudi.url())
    clock.shift(301)
    typed = guarded(kudi)["settings/roles/new/"]
    client.post(kudi.url("settings/roles/new/"), typed)
    assert confirm(client, f"{CONFIRM}?next=%2Faccounts%2Fconfirmed%2F") == "/accounts/confirmed/"
    assert "press its button once more" in client.get("/accounts/confirmed/").content.decode()
    assert client.post(kudi.url("settings/roles/new/"), typed).status_code == 302
    with inside(kudi):
        assert Role.objects.filter(name="Newest").exists()


def test_what_a_page_fetches_while_somebody_types_is_left_alone(kudi: Lender, clock: time_machine.Traveller) -> None:
    client = kudi.client("super_admin")
    client.get(kudi.url())
    clock.shift(301)
    path = kudi.url(f"settings/roles/{kudi.roles['no_users_unit'].pk}/edit/")
    response = client.get(path, headers={"HX-Request": "true", "HX-Target": "effects"})
    assert response.status_code == 200


def test_the_export_is_no_way_around(kudi: Lender, clock: time_machine.Traveller) -> None:
    client = kudi.client("super_admin")
    client.get(kudi.url())
    clock.shift(301)
    for headers in ({}, {"HX-Request": "true", "HX-Target": "effects"}):
        with inside(kudi):
            before = rows()
        response = client.get(kudi.url("settings/members/export/?q=Ada"), headers=headers)
        assert response.get("Location", response.get("HX-Redirect")) == asked_for(kudi.url("settings/members/?q=Ada"))
        with inside(kudi):
            assert rows() == before
    assert "then export once more" in client.get(response.headers["HX-Redirect"]).content.decode()


def test_other_people_are_managed_as_before(kudi: Lender, clock: time_machine.Traveller) -> None:
    client = kudi.client("super_admin")
    client.get(kudi.url())
    clock.shift(301)
    other = kudi["loan_officer"]
    assert client.get(kudi.url(f"settings/members/{other.pk}/")).status_code == 200
    assert client.post(kudi.url(f"settings/members/{other.pk}/deactivate/")).status_code == 302
    with inside(kudi):
        assert fresh(other).status == Member.Status.DEACTIVATED


def test_whoever_may_not_is_told_so_first(kudi: Lender, clock: time_machine.Traveller) -> None:
    client = kudi.client("customer_support")
    client.get(kudi.url())
    clock.shift(301)
    assert client.get(kudi.url("settings/security/")).status_code == 403
    assert client.get(kudi.url("settings/roles/new/")).status_code == 403
