"""The menus show what the role can use, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils.html import strip_tags

from lendconsole import navigation
from lendconsole.context_processors import console
from lendconsole.templatetags.console import ICONS
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.built_in_roles import DEFINITIONS, BuiltInRole
from teams.capabilities import Capability, Reach
from tests.world import World

ITEMS = [item for _, items in navigation.MENU for item in items] + list(navigation.SETTINGS)


class FakeMember:
    organization = object()

    def __init__(self, *capabilities: Capability, missing: str = "") -> None:
        self.capabilities = capabilities
        self.missing = missing

    def may(self, capability: Capability) -> bool:
        return capability in self.capabilities

    def url(self, name: str) -> str:
        if name == self.missing:
            raise NoReverseMatch(name)
        return f"/{name}"


def of_role(role: BuiltInRole) -> Any:
    reaches = DEFINITIONS[role].reaches
    return FakeMember(*(capability for capability in Capability if reaches.get(capability, Reach.NONE) != Reach.NONE))


def labels(member: Any) -> dict[str, list[str]]:
    return {group.label: [link.label for link in group.links] for group in navigation.menu(member, "dashboard")}


def settings_labels(member: Any) -> list[str]:
    return [link.label for link in navigation.settings_menu(member, "dashboard")]


def test_super_admin_sees_everything() -> None:
    member = of_role(BuiltInRole.SUPER_ADMIN)
    assert labels(member) == {
        "": ["Dashboard"],
        "Customer management": [
            "Customers",
            "Document review",
            "Access requests",
            "Emergency access",
            "Impostor reports",
        ],
        "Back office": ["Audit log", "E-mails"],
    }
    assert settings_labels(member) == ["Team members", "Offices", "Roles and permissions", "Organization", "Security"]


def test_account_manager_has_customers_and_no_settings() -> None:
    member = of_role(BuiltInRole.ACCOUNT_MANAGER)
    assert labels(member) == {
        "": ["Dashboard"],
        "Customer management": ["Customers", "Document review", "Access requests"],
    }
    assert settings_labels(member) == []


@pytest.mark.parametrize(("failed", "shown"), [(0, ""), (1, "1"), (99, "99"), (100, "99+")])
def test_failed_emails_are_counted_beside_their_item(failed: int, shown: str) -> None:
    member: Any = of_role(BuiltInRole.SUPER_ADMIN)
    member.failed_email_count = failed
    counts = {link.label: link.count for group in navigation.menu(member, "dashboard") for link in group.links}
    assert counts == {
        "Dashboard": "",
        "Customers": "",
        "Document review": "",
        "Access requests": "",
        "Emergency access": "",
        "Impostor reports": "",
        "Audit log": "",
        "E-mails": shown,
    }


@pytest.mark.django_db
def test_the_count_is_of_the_own_lender_and_of_failed_ones_alone(world: World) -> None:
    emails = [(world.kudi, state) for state in ("failed", "failed", "sent", "pending")] + [(world.rival, "failed")]
    for number, (lender, state) in enumerate(emails):
        with organization_context(lender.organization.pk):
            OutgoingEmail.objects.create(
                organization=lender.organization, kind="x", dedupe_key=f"{number}", recipient="a@b.co", state=state
            )
    page, other = (world.kudi.client(role).get(world.kudi.url("customers/")) for role in ("admin", "account_manager"))
    beside = page.content.decode().partition('<span class="sidebar-count">')[2].partition("</a>")[0]
    assert strip_tags(beside).split() == ["2", "failed"]
    assert b"sidebar-count" not in other.content


@pytest.mark.django_db
def test_nothing_is_counted_for_who_may_not_read_all_letters(world: World) -> None:
    kudi = world.kudi
    with organization_context(kudi.organization.pk):
        kudi.roles["admin"].permissions.filter(capability="customers.view").update(reach="office")
        kind, state = "customers/assigned", OutgoingEmail.State.FAILED
        OutgoingEmail.objects.create(
            organization=kudi.organization, kind=kind, dedupe_key="1", recipient="a@b.co", state=state
        )
    page = kudi.client("admin").get(kudi.url("emails/"))
    assert page.status_code == 200
    assert b"sidebar-count" not in page.content


@pytest.mark.parametrize("item", [item for item in ITEMS if item.capability], ids=lambda item: item.label)
def test_each_item_follows_its_own_capability(item: navigation.Item) -> None:
    assert item.capability is not None
    with_it, without = FakeMember(item.capability), FakeMember(*(set(Capability) - {item.capability}))
    shown = [label for group in labels(with_it).values() for label in group] + settings_labels(with_it)
    hidden = [label for group in labels(without).values() for label in group] + settings_labels(without)
    assert item.label in shown
    assert item.label not in hidden


def test_group_without_items_loses_its_heading() -> None:
    assert list(labels(FakeMember())) == [""]


@pytest.mark.parametrize(
    ("view_name", "current"),
    [
        ("dashboard", "Dashboard"),
        ("customers:customer_profile", "Customers"),
        ("audit:event_list", "Audit log"),
        ("notifications:email_list", "E-mails"),
        ("teams:invitation_resend", "Team members"),
        ("teams:office_edit", "Offices"),
        ("teams:role_list", "Roles and permissions"),
        ("teams:security", "Security"),
    ],
)
def test_exactly_the_item_of_the_page_is_current(view_name: str, current: str) -> None:
    member: Any = FakeMember(*Capability)
    links = [link for group in navigation.menu(member, view_name) for link in group.links]
    links += navigation.settings_menu(member, view_name)
    assert [link.label for link in links if link.is_current] == [current]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.label)
def test_each_item_leads_somewhere_and_has_an_icon(item: navigation.Item) -> None:
    assert reverse(item.url_name, args=["kudi"]).startswith("/o/kudi/")
    assert (ICONS / f"{item.icon}.svg").is_file()


def test_outside_an_organization_the_frame_is_empty() -> None:
    request = RequestFactory().get("/accounts/login/")
    assert console(request) == {"member": None, "organization": None, "navigation": (), "settings_navigation": ()}


def test_inside_one_the_frame_belongs_to_the_member() -> None:
    request: Any = RequestFactory().get("/o/kudi/")
    request.member = FakeMember(Capability.CUSTOMERS_FIND)
    context = console(request)
    assert context["member"] is request.member
    assert context["organization"] is request.member.organization
    assert [group.label for group in context["navigation"]] == ["", "Customer management"]
