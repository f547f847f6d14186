"""Lenders drawn at random: a tree of offices, roles of any reaches, members of any state, and every way to a customer."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from accounts.models import Organization, User
from customers.bvn import bvn_columns
from customers.models import AccessRequest, Cover, Customer, TemporaryAccess
from lendconsole.tenancy import organization_context
from teams.built_in_roles import DEFINITIONS
from teams.capabilities import Capability, Reach
from teams.models import Member, Office, Role
from tests import factories

OVER_CUSTOMERS: Final = tuple(
    each for each in Capability if each.startswith(("customers.", "documents.", "notes.")) or each == "members.view"
)
STATES: Final = (*["active"] * 6, "deactivated", "removed", "locked")
FIRST_NAMES, LAST_NAMES, MAIL_HOSTS = ("Ada", "Musa", "Zainab"), ("Okafor", "Bello"), ("alpha", "omega")
WINDOWS: Final = {"runs": (-2, 2), "is over": (-4, -1), "is to come": (1, 4)}
"""In hours from now."""


@dataclass
class Scene:
    """One organization with all that decides who sees whom in it. The rows are as they were made, in no order."""

    organization: Organization
    offices: list[Office]
    roles: list[Role]
    members: list[Member] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    covers: list[Cover] = field(default_factory=list)
    openings: list[TemporaryAccess] = field(default_factory=list)
    requests: list[AccessRequest] = field(default_factory=list)

    def url(self, path: str = "") -> str:
        return f"/o/{self.organization.slug}/{path}"

    @property
    def super_admin(self) -> Member:
        return self.members[0]

    @property
    def active(self) -> list[Member]:
        return [each for each in self.members if each.status == "active" and each.user.is_active]


def draw(seed: int) -> Scene:
    """A lender, and beside it a second one: some people work in both, and their customers share phones and addresses."""
    dice = random.Random(seed)
    logins = [factories.UserFactory() for _ in range(4)]
    scene, _ = (_draw_lender(dice, slug, logins) for slug in ("kudi", "rival"))
    return scene


def _draw_lender(dice: random.Random, slug: str, logins: list[User]) -> Scene:
    organization = factories.OrganizationFactory(slug=slug, exclusive_assignments=dice.random() < 0.7)
    with organization_context(organization.pk):
        scene = Scene(organization, _offices(dice, organization), _roles(dice, organization))
        scene.members = [_member(dice, scene, number, logins) for number in range(len(scene.roles) + 6)]
        scene.customers = [_customer(dice, scene, number) for number in range(12)]
        scene.covers = [_cover(dice, scene, absent) for absent in dice.sample(scene.members, 6)]
        scene.openings = [_opening(dice, scene) for _ in range(8)]
        scene.requests = [*_requests(dice, scene)]
    return scene


def _offices(dice: random.Random, organization: Organization) -> list[Office]:
    offices: list[Office] = []
    for _ in range(6):
        parent = dice.choice([*offices, None])
        offices.append(factories.OfficeFactory(organization=organization, parent=parent))
    return offices


def _roles(dice: random.Random, organization: Organization) -> list[Role]:
    """The built-in ones, and four in which anything may be missing or go far."""
    held = [dict(definition.reaches) for definition in DEFINITIONS.values()]
    for _ in range(4):
        reaches = {each: dice.choice([*each.reaches, *each.reaches[1:]]) for each in OVER_CUSTOMERS}
        held.append({each: reach for each, reach in reaches.items() if reach != Reach.NONE})
    built_in = [*DEFINITIONS, *[""] * 4]
    roles = []
    for reaches, name in zip(held, built_in, strict=True):
        role: Role = factories.RoleFactory(organization=organization, built_in=name, reaches=reaches)
        role.reaches = reaches
        roles.append(role)
    return roles


def _member(dice: random.Random, scene: Scene, number: int, logins: list[User]) -> Member:
    """One for each role, the first four with logins that both lenders know; then anybody, in any state."""
    is_anybody = number >= len(scene.roles)
    state = dice.choice(STATES) if is_anybody else "active"
    user = logins[number] if number < len(logins) else factories.UserFactory(is_active=state != "locked")
    member: Member = factories.MemberFactory(
        organization=scene.organization,
        user=user,
        role=dice.choice(scene.roles) if is_anybody else scene.roles[number],
        office=dice.choice(scene.offices),
        status="active" if state == "locked" else state,
        last_seen_at=timezone.now(),
    )
    return member


def _customer(dice: random.Random, scene: Scene, number: int) -> Customer:
    is_erased = number == 0
    key = f"{scene.organization.slug[0].upper()}-{number:04}"
    customer: Customer = factories.CustomerFactory(
        organization=scene.organization,
        office=dice.choice(scene.offices),
        number=key,
        first_name=dice.choice(FIRST_NAMES),
        last_name=dice.choice(LAST_NAMES),
        phone="" if is_erased else f"+2348034{number:02}1277",
        email="" if is_erased else f"c{number:02}@{MAIL_HOSTS[number % 2]}.example",
        status=dice.choice(Customer.Status.values),
        segment=dice.choice(Customer.Segment.values),
        erased_at=timezone.now() if is_erased else None,
        **({} if is_erased else bvn_columns(f"221000000{number:02}")),
    )
    if not is_erased and dice.random() < 0.7:
        factories.dedicate(customer, dice.choice(scene.members))
    return customer


def _cover(dice: random.Random, scene: Scene, absent: Member) -> Cover:
    substitute = dice.choice([each for each in scene.members if each != absent])
    cover: Cover = factories.cover(absent, substitute, **_window(dice))
    return cover


def _opening(dice: random.Random, scene: Scene) -> TemporaryAccess:
    return TemporaryAccess.objects.create(
        customer=dice.choice(scene.customers),
        member=dice.choice(scene.members),
        kind=dice.choice(TemporaryAccess.Kind.values),
        reason="Because",
        **_window(dice),
    )


def _requests(dice: random.Random, scene: Scene) -> list[AccessRequest]:
    pairs = [(customer, member) for customer in scene.customers[1:] for member in scene.members]
    made = []
    for customer, member in dice.sample(pairs, 6):
        days = timedelta(days=dice.choice([-1, 1, 1]))
        state = dice.choice(["open", "open", "declined"])
        made.append(factories.request(customer, member, state=state, expires_at=timezone.now() + days))
    return made


def _window(dice: random.Random) -> dict[str, Any]:
    start, end = dice.choice([*WINDOWS.values(), WINDOWS["runs"]])
    now = timezone.now()
    return {"starts_at": now + timedelta(hours=start), "ends_at": now + timedelta(hours=end)}
