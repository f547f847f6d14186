"""What a change of the tree would mean to people's places, known before anybody makes it.

Offices, customers, members and invitations go from one office to another; who reaches what follows from the paths. All
areas are told in offices as they are *now*: "whose things" a member reaches, wherever those things will stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from accounts.models import Organization
from teams.capabilities import Capability, Reach
from teams.errors import PlaceNotHeld
from teams.models import Invitation, Member, Office
from teams.policy import roles_of

Moves = Mapping[int, int]
Area = frozenset[int]
_STAY: Final[Moves] = {}


@dataclass(frozen=True)
class Rearrangement:
    """By id: the office above each office that moves (None: it stands alone), and where everything of an office goes."""

    parents: Mapping[int, int | None] = field(default_factory=dict)
    customers: Moves = field(default_factory=dict)
    members: Moves = field(default_factory=dict)
    invitations: Moves = field(default_factory=dict)

    def contents(self, capability: Capability) -> Moves:
        """What the capability is about."""
        if capability == Capability.MEMBERS_INVITE:
            return self.invitations
        return self.members if capability.startswith("members.") else self.customers


class Tree:
    """The offices of an organization before and after a change; one statement."""

    def __init__(self, organization: Organization, change: Rearrangement) -> None:
        self.organization = organization
        self.change = change
        rows = Office.objects.for_organization(organization).values_list("pk", "parent_id", "name", "path")
        self._parents: dict[int, int | None] = {pk: parent for pk, parent, _, _ in rows}
        self.names: dict[int, str] = {pk: name for pk, _, name, _ in rows}
        self.paths: dict[int, str] = {pk: path for pk, _, _, path in rows}
        self._before = {pk: frozenset(self._chain(pk, {})) for pk in self._parents}
        self._after = {pk: frozenset(self._chain(pk, change.parents)) for pk in self._parents}

    def _chain(self, pk: int, changed: Mapping[int, int | None]) -> Iterator[int]:
        """The office and those above it."""
        here: int | None = pk
        while here is not None:
            yield here
            here = changed[here] if here in changed else self._parents[here]

    def area(self, office: int) -> Area:
        return frozenset(pk for pk, chain in self._before.items() if office in chain)

    def area_after(self, office: int, contents: Moves = _STAY) -> Area:
        return frozenset(pk for pk in self._before if office in self._after[contents.get(pk, pk)])

    @cached_property
    def holders(self) -> set[tuple[int, int, int]]:
        """Role, office and later office of everybody on the team, and of those who are invited to it."""
        members = Member.objects.present().for_organization(self.organization)
        invitations = Invitation.objects.pending().for_organization(self.organization)
        found: set[tuple[int, int, int]] = set()
        for rows, moves in ((members, self.change.members), (invitations, self.change.invitations)):
            pairs: Any = rows.order_by().values_list("role_id", "office_id").distinct()
            found |= {(role, office, moves.get(office, office)) for role, office in pairs}
        return found


def require_passing_on(actor: Member, change: Rearrangement) -> None:
    """Nobody gives a place that they do not hold, to themselves or to others. Raises PlaceNotHeld.

    Whoever reaches the things of another office after the change by some permission, does so by the actor's doing: the
    actor must reach that office by the same permission now.
    """
    tree = Tree(actor.organization, change)
    roles = {role.pk: role for role in roles_of(actor.organization)}
    own = tree.area(actor.office_id)
    # One's own gain is refused before that of others, with its own words.
    for role_id, office, later in sorted(
        tree.holders, key=lambda who: (who[:2] != (actor.role_id, actor.office_id), who)
    ):
        role = roles.get(role_id)
        bound = [each for each, reach in role.reaches.items() if reach == Reach.OFFICE] if role else []
        for capability in bound:
            held = actor.reach(capability)
            if held == Reach.ORGANIZATION:
                continue
            gained = tree.area_after(later) | tree.area_after(later, change.contents(capability))
            lacking = gained - tree.area(office) - (own if held == Reach.OFFICE else frozenset())
            if lacking:
                raise PlaceNotHeld(_refusal(actor, capability, tree, (role_id, office), min(lacking)))


def _refusal(actor: Member, capability: Capability, tree: Tree, who: tuple[int, int], place: int) -> str:
    if who == (actor.role_id, actor.office_id):
        return (
            f"By this you would reach {tree.names[place]} yourself with the permission “{capability.label}”, and nobody "
            "widens their own reach. Ask an admin who reaches the whole organization to do it."
        )
    return (
        f"By this somebody of {tree.names[who[1]]} would reach {tree.names[place]} with the permission "
        f"“{capability.label}”, and you do not reach it with that yourself. Choose another office, or ask an admin who "
        "reaches the whole organization to do it."
    )
