"""The world that most tests stand on: two lenders that must never learn of each other, and everybody who works there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from allauth.account.internal.flows.login import record_authentication
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.models import Organization, User
from customers.bvn import bvn_columns
from customers.models import Customer
from lendconsole.tenancy import organization_context
from teams.built_in_roles import DEFINITIONS, BuiltInRole
from teams.models import Member, Office, Role
from tests import factories


@dataclass
class Lender:
    """One organization: `head` office with `branch` below it, a second branch `other_branch`, members by role value."""

    organization: Organization
    head: Office
    branch: Office
    other_branch: Office
    roles: dict[str, Role]
    members: dict[str, Member]
    customers: dict[str, Customer] = field(default_factory=dict)

    def __getitem__(self, role: str) -> Member:
        return self.members[role]

    @property
    def today(self) -> date:
        """Where the lender is; the clock of the tests' machine may be a day behind."""
        return timezone.localdate(timezone=ZoneInfo(self.organization.time_zone))

    def client(self, role: str) -> Client:
        return signed_in(self.members[role].user)

    def url(self, path: str = "") -> str:
        return f"/o/{self.organization.slug}/{path}"


def signed_in(user: User) -> Client:
    """A browser in which they have just signed in."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, user, method="password")
    request.session.save()
    return client


@dataclass
class World:
    kudi: Lender
    rival: Lender


def build_world() -> World:
    return World(kudi=build_lender("kudi", "T1"), rival=build_lender("rival", "T-2"))


def build_lender(slug: str, canary: str) -> Lender:
    """`canary` marks every text of the lender, so that a leak into the other one shows."""
    organization = factories.OrganizationFactory(name=f"{slug.capitalize()} {canary}-Bank", slug=slug)
    with organization_context(organization.pk):
        head = factories.OfficeFactory(organization=organization, name=f"Head Office {canary}", type="head_office")
        branch = factories.OfficeFactory(organization=organization, name=f"Ikeja {canary}", parent=head)
        other = factories.OfficeFactory(organization=organization, name=f"Kano {canary}", parent=head)
        roles = {
            built_in.value: factories.RoleFactory(
                organization=organization, name=built_in.label, built_in=built_in, reaches=definition.reaches
            )
            for built_in, definition in DEFINITIONS.items()
        }
        roles["no_users_unit"] = factories.RoleFactory(
            organization=organization, name=f"Human {canary}-Resources", reaches={"members.view": "organization"}
        )
        lender = Lender(organization, head, branch, other, roles, {})
        for role in roles:
            lender.members[role] = _member(lender, role, office=branch, canary=canary)
        lender.members["other_manager"] = _member(lender, "account_manager", office=other, canary=canary, name="other")
        lender.members["deactivated"] = _member(
            lender, "admin", office=branch, canary=canary, name="deactivated", status=Member.Status.DEACTIVATED
        )
        lender.customers = _customers(lender, canary)
    return lender


def _member(
    lender: Lender, role: str, *, office: Office, canary: str, name: str = "", status: str = Member.Status.ACTIVE
) -> Member:
    login = name or role
    user = factories.UserFactory(
        email=f"{login}@{lender.organization.slug}.example".replace("_", "-"),
        first_name=login.split("_")[0].capitalize(),
        last_name=f"{canary}-Staff",
    )
    member: Member = factories.MemberFactory(
        organization=lender.organization,
        user=user,
        role=lender.roles[role],
        office=office,
        status=status,
        last_seen_at=timezone.now(),
    )
    return member


def add_branch_head(lender: Lender) -> None:
    """`branch_head`, who finds and opens the customers of the branch, in a role that the lender made."""
    reaches = dict.fromkeys(("customers.find", "customers.view", "customers.assign"), "office")
    lender.roles["branch_head"] = factories.RoleFactory(
        organization=lender.organization, name="Branch head", reaches=reaches
    )
    lender.members["branch_head"] = _member(lender, "branch_head", office=lender.branch, canary="T1")


def _customers(lender: Lender, canary: str) -> dict[str, Customer]:
    """One unassigned in the branch, one dedicated to the branch's account manager, one to the other branch's."""

    def customer(key: str, office: Office) -> Customer:
        row: Customer = factories.CustomerFactory(
            organization=lender.organization,
            office=office,
            number=f"{canary}-{len(key):03d}{key[:3].upper()}",
            first_name=key.capitalize(),
            last_name=f"{canary}-Borrower",
            email=f"{key}.{canary.lower()}@mail.example",
            address=f"{canary}-Street {key}",
            **bvn_columns(BVNS[key]),
        )
        return row

    rows = {"free": customer("free", lender.branch), "own": customer("own", lender.branch)}
    rows["distant"] = customer("distant", lender.other_branch)
    rows["remote"] = customer("remote", lender.other_branch)
    factories.dedicate(rows["own"], lender["account_manager"])
    factories.dedicate(rows["distant"], lender["other_manager"])
    return rows


BVNS = {"free": "22100000001", "own": "22100000002", "distant": "22100000003", "remote": "22100000004"}
ROLES = [*(role.value for role in BuiltInRole), "no_users_unit"]
