"""What a change of the tree would mean to people's places, known before anybody makes it.

Offices, customers, members and invitations go from one office to another; who reaches what follows from the paths. All
areas are told in offices as they are *now*: "whose things" a member reaches, wherever those things will stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from teams.capabilities import Capability, Reach
from teams.errors import PlaceNotHeld
from teams.models import Invitation, Member, Office
from teams.policy import roles_of

Moves = Mapping[int, int]
Area = frozenset[int]
_STAY: Final[Moves] = {}


@dataclass(frozen=True)
class Rearrangement:
    """By id: the office above each office that moves (None: it stands alone), and where everything of an office goes.

    `offices` are all those of the organization, as they are now.
    """

    offices: Sequence[Office]
    parents: Mapping[int, int | None] = field(default_factory=dict)
    customers: Moves = field(default_factory=dict)
    members: Moves = field(default_factory=dict)
    invitations: Moves = field(default_factory=dict)

    def contents(self, capability: Capability) -> Moves:
        """What the capability is about."""
        if capability == Capability.MEMBERS_INVITE:
            return self.invitations
        return self.members if capability.startswith("members.") else self.customers

    def area(self, office: int) -> Area:
        """The office and those below it."""
        return frozenset(pk for pk, chain in self._before.items() if office in chain)

    def area_after(self, office: int, contents: Moves = _STAY) -> Area:
        return frozenset(pk for pk in self._before if office in self._after[contents.get(pk, pk)])

    @cached_property
    def _before(self) -> dict[int, Area]:
        """Each office with itself and those above it."""
        return self._chains({})

    @cached_property
    def _after(self) -> dict[int, Area]:
        return self._chains(self.parents)

    def _chains(self, changed: Mapping[int, int | None]) -> dict[int, Area]:
        parents = {**{office.pk: office.parent_id for office in self.offices}, **changed}

        def chain(pk: int | None) -> Iterator[int]:
            while pk is not None:
                yield pk
                pk = parents[pk]

        return {pk: frozenset(chain(pk)) for pk in parents}


def require_passing_on(actor: Member, change: Rearrangement) -> None:
    """Nobody gives a place that they do not hold, to themselves or to others. Raises PlaceNotHeld.

    Whoever reaches the things of another office after the change by some permission, does so by the actor's doing: the
    actor must reach that office by the same permission now.
    """
    names = {office.pk: office.name for office in change.offices}
    bound = {
        role.pk: [capability for capability, reach in role.reaches.items() if reach == Reach.OFFICE]
        for role in roles_of(actor.organization)
    }

    def is_own(place: _Place) -> bool:
        return (place.role, place.office) == (actor.role_id, actor.office_id)

    # One's own gain is refused before that of others, with its own words.
    for place in sorted(_places(actor, change), key=lambda place: (not is_own(place), place)):
        for capability in bound.get(place.role, ()):
            if lacking := _lacking(actor, change, place, capability):
                raise PlaceNotHeld(
                    _refusal(capability, "" if is_own(place) else names[place.office], names[min(lacking)])
                )


class _Place(NamedTuple):
    """Where somebody of a role works, and where they will."""

    role: int
    office: int
    later: int


def _places(actor: Member, change: Rearrangement) -> set[_Place]:
    """Those of everybody on the team, and of those who are invited to it."""
    members = Member.objects.present().for_organization(actor.organization)
    invitations = Invitation.objects.pending().for_organization(actor.organization)
    return {
        _Place(role, office, moves.get(office, office))
        for rows, moves in ((members, change.members), (invitations, change.invitations))
        for role, office in rows.order_by().values_list("role_id", "office_id").distinct()
    }


def _lacking(actor: Member, change: Rearrangement, place: _Place, capability: Capability) -> Area:
    """The offices that somebody of the place comes to reach by the capability, and the actor does not reach by it now."""
    held = actor.reach(capability)
    if held == Reach.ORGANIZATION:
        return frozenset()
    gained = change.area_after(place.later) | change.area_after(place.later, change.contents(capability))
    own = change.area(actor.office_id) if held == Reach.OFFICE else frozenset()
    return gained - change.area(place.office) - own


def _refusal(capability: Capability, office: str, place: str) -> str:
    """`office`: where those work who would reach the place; empty for the actor."""
    if not office:
        return (
            f"By this you would reach {place} yourself with the permission “{capability.label}”, and nobody "
            "widens their own reach. Ask an admin who reaches the whole organization to do it."
        )
    return (
        f"By this somebody of {office} would reach {place} with the permission "
        f"“{capability.label}”, and you do not reach it with that yourself. Choose another office, or ask an admin who "
        "reaches the whole organization to do it."
    )
