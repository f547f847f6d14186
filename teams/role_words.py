"""What roles allow, in words: for the table of roles and for the page that changes somebody's role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from teams.capabilities import UNITS, Capability, PermissionUnit, Reach
from teams.models import Role

_SHORT: Final = {Reach.NONE: "None", Reach.OWN: "Own", Reach.OFFICE: "Office", Reach.ORGANIZATION: "Organization"}


def reach_word(capability: Capability, reach: Reach) -> str:
    """One word of the table: No and Yes where reach makes no sense."""
    if capability.is_yes_no:
        return "Yes" if reach > Reach.NONE else "No"
    return _SHORT[reach]


@dataclass(frozen=True, slots=True)
class Cell:
    role: Role
    word: str
    is_held: bool


@dataclass(frozen=True, slots=True)
class Line:
    capability: Capability
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        return len({cell.word for cell in self.cells}) > 1


@dataclass(frozen=True, slots=True)
class UnitLines:
    unit: PermissionUnit
    lines: tuple[Line, ...]


def permission_table(roles: list[Role]) -> tuple[UnitLines, ...]:
    """Units, in them a line per permission, in it a cell per role."""
    return tuple(
        UnitLines(unit, tuple(Line(capability, _cells(capability, roles)) for capability in unit.capabilities))
        for unit in UNITS
    )


def _cells(capability: Capability, roles: list[Role]) -> tuple[Cell, ...]:
    return tuple(
        Cell(role, reach_word(capability, role.reach(capability)), role.reach(capability) > Reach.NONE)
        for role in roles
    )


@dataclass(frozen=True, slots=True)
class Allowed:
    """One unit of a role in words: ("Users", ["Open full profiles (own customers)", ...])."""

    unit: str
    sentences: tuple[str, ...]


def allowed(role: Role) -> tuple[Allowed, ...]:
    """What the role allows, unit by unit; units of which it allows nothing are left out."""
    units = (
        Allowed(unit.label, tuple(sentence for each in unit.capabilities if (sentence := _sentence(role, each))))
        for unit in UNITS
    )
    return tuple(unit for unit in units if unit.sentences)


def _sentence(role: Role, capability: Capability) -> str:
    reach = role.reach(capability)
    if reach == Reach.NONE:
        return ""
    return capability.label if capability.is_yes_no else f"{capability.label} ({reach.label.lower()})"


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What somebody gains and loses. A wider reach is a gain, a narrower one a loss."""

    gains: tuple[str, ...]
    losses: tuple[str, ...]


def role_change(before: Role, after: Role) -> RoleChange:
    gains = [_sentence(after, each) for each in Capability if after.reach(each) > before.reach(each)]
    losses = [_loss(before, after, each) for each in Capability if after.reach(each) < before.reach(each)]
    return RoleChange(tuple(gains), tuple(losses))


def _loss(before: Role, after: Role, capability: Capability) -> str:
    left = after.reach(capability)
    if left == Reach.NONE:
        return _sentence(before, capability)
    return f"{capability.label} (only {left.label.lower()} from now on)"


def holdings(reaches: Mapping[Capability, Reach]) -> dict[str, str]:
    """What is held, as the audit log keeps it: {"Open full profiles": "Own"}."""
    return {
        capability.label: reach_word(capability, reaches[capability])
        for capability in Capability
        if reaches.get(capability, Reach.NONE) > Reach.NONE
    }


def differences(
    before: Mapping[Capability, Reach], after: Mapping[Capability, Reach]
) -> tuple[dict[str, str], dict[str, str]]:
    """The permissions that differ, before and after, as the audit log keeps them."""
    differing = [each for each in Capability if before.get(each, Reach.NONE) != after.get(each, Reach.NONE)]
    former, present = (
        {each.label: reach_word(each, reaches.get(each, Reach.NONE)) for each in differing}
        for reaches in (before, after)
    )
    return former, present
