"""The left menu and the settings menu, cut down to what the member's role can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import NoReverseMatch

from teams.capabilities import Capability
from teams.models import Member

COUNTED_IN_FULL: Final = 99


@dataclass(frozen=True, slots=True)
class Item:
    """`pages` are the beginnings of the URL names that belong to this item and light it up.

    `count` names what find_member counted of the rows behind it that want attention, `counted` says what they are.
    """

    label: str
    icon: str
    url_name: str
    pages: tuple[str, ...]
    capability: Capability | None = None
    count: str = ""
    counted: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    icon: str
    url: str
    is_current: bool
    count: str = ""
    counted: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the left menu with its links. The first group has no heading."""

    label: str
    links: tuple[Link, ...]


MENU: Final[tuple[tuple[str, tuple[Item, ...]], ...]] = (
    ("", (Item("Dashboard", "layout-dashboard", "dashboard", ("dashboard", "customers:follow_up_")),)),
    (
        "Customer management",
        (
            Item(
                "Customers",
                "users",
                "customers:customer_list",
                ("customers:customer_", "customers:account_manager_"),
                Capability.CUSTOMERS_FIND,
            ),
            Item(
                "Document review",
                "file-text",
                "customers:document_list",
                ("customers:document_list", "customers:document_review"),
                Capability.DOCUMENTS_REVIEW,
                "waiting_document_count",
                "to review",
            ),
            Item(
                "Access requests",
                "inbox",
                "customers:access_request_list",
                ("customers:access_request",),
                Capability.CUSTOMERS_VIEW,
                "access_request_count",
                "waiting",
            ),
            Item(
                "Emergency access",
                "key",
                "customers:emergency_list",
                ("customers:emergency_",),
                Capability.CUSTOMERS_OVERSEE,
                "emergency_count",
                "to review",
            ),
            Item(
                "Impostor reports",
                "alert-triangle",
                "customers:impostor_report_list",
                ("customers:impostor_report_",),
                Capability.CUSTOMERS_IMPOSTORS,
                "impostor_report_count",
                "open",
            ),
        ),
    ),
    (
        "Back office",
        (
            Item("Audit log", "history", "audit:event_list", ("audit:",), Capability.AUDIT_VIEW),
            Item(
                "E-mails",
                "mail",
                "notifications:email_list",
                ("notifications:",),
                Capability.EMAILS_VIEW,
                "failed_email_count",
                "failed",
            ),
        ),
    ),
)

SETTINGS: Final[tuple[Item, ...]] = (
    Item(
        "Team members",
        "id-badge-2",
        "teams:member_list",
        ("teams:member_", "teams:members_", "teams:invitation_", "customers:member_"),
        Capability.MEMBERS_VIEW,
    ),
    Item("Offices", "building-community", "teams:office_list", ("teams:office_",), Capability.OFFICES_VIEW),
    Item("Roles and permissions", "lock", "teams:role_list", ("teams:role_", "customers:role_"), Capability.ROLES_VIEW),
    Item(
        "Organization",
        "building",
        "customers:organization_settings",
        ("customers:organization_", "teams:organization_"),
        Capability.ORGANIZATION_SETTINGS,
    ),
    Item("Security", "shield-lock", "teams:security", ("teams:security",), Capability.ORGANIZATION_SECURITY),
)


def menu(member: Member, view_name: str) -> tuple[Group, ...]:
    """The left menu; a group of which the role can use nothing is left out with its heading."""
    groups = (Group(label, _links(items, member, view_name)) for label, items in MENU)
    return tuple(group for group in groups if group.links)


def settings_menu(member: Member, view_name: str) -> tuple[Link, ...]:
    """What stands behind the gear; empty for a role without settings."""
    return _links(SETTINGS, member, view_name)


def _links(items: tuple[Item, ...], member: Member, view_name: str) -> tuple[Link, ...]:
    return tuple(
        Link(item.label, item.icon, url, view_name.startswith(item.pages), _count(item, member), item.counted)
        for item in items
        if (item.capability is None or member.may(item.capability)) and (url := _url(item, member))
    )


def _count(item: Item, member: Member) -> str:
    """Nothing for none, and "99+" where the counting ended."""
    count: int = getattr(member, item.count, 0) if item.count else 0
    return f"{COUNTED_IN_FULL}+" if count > COUNTED_IN_FULL else str(count or "")


def _url(item: Item, member: Member) -> str:
    try:
        return member.url(item.url_name)
    except NoReverseMatch:
        return ""
