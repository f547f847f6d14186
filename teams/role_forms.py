"""Forms of roles: a name, and for each permission how far it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from accounts.validators import validate_person_name
from lendconsole.forms import CHOOSE, UNAVAILABLE, ConsoleForm, SubmitOnce, VersionGuard
from teams.capabilities import UNITS, Capability, PermissionUnit, Reach
from teams.forms import RoleField, offer
from teams.models import Member, Role
from teams.role_words import reach_word


def _name_field() -> forms.CharField:
    return forms.CharField(max_length=80, validators=[validate_person_name], help_text="Such as Branch Manager")


def _description_field() -> forms.CharField:
    return forms.CharField(max_length=300, required=False, label="What it is for", validators=[validate_person_name])


class RoleForm(SubmitOnce, ConsoleForm):
    """Offers what the actor holds themselves: a permission that their role lacks has no line."""

    name = _name_field()
    description = _description_field()

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        for capability in Capability:
            reaches = [reach for reach in capability.reaches if reach <= member.reach(capability)]
            if len(reaches) > 1:
                self.fields[capability.field_name] = _reach_field(capability, reaches)

    def units(self) -> Iterator[tuple[PermissionUnit, list[BoundField]]]:
        for unit in UNITS:
            lines = [self[each.field_name] for each in unit.capabilities if each.field_name in self.fields]
            if lines:
                yield unit, lines

    @property
    def reaches(self) -> dict[Capability, Reach]:
        """Of a valid form."""
        return _understood(self.cleaned_data)

    @property
    def shown_reaches(self) -> dict[Capability, Reach]:
        """What the page shows chosen now, as far as it can be understood."""
        return _understood({name: self[name].value() for name in self.fields})


def _reach_field(capability: Capability, reaches: list[Reach]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=capability.label,
        choices=[(reach.value, reach_word(capability, reach)) for reach in reaches],
        initial=Reach.NONE.value,
        widget=forms.RadioSelect,
        error_messages={"required": CHOOSE, "invalid_choice": UNAVAILABLE},
    )


def _understood(chosen: Mapping[str, Any]) -> dict[Capability, Reach]:
    reaches = {each: chosen.get(each.field_name) for each in Capability}
    return {each: Reach(reach) for each, reach in reaches.items() if reach in each.reaches and reach != Reach.NONE}


def reach_values(reaches: Mapping[Capability, Reach]) -> dict[str, str]:
    """For a form's initial data."""
    return {each.field_name: reach.value for each, reach in reaches.items()}


class RoleEditForm(VersionGuard, RoleForm):
    """Of a role that exists."""


class RoleCloneForm(SubmitOnce, ConsoleForm):
    name = _name_field()
    description = _description_field()


class RoleDeleteForm(SubmitOnce, ConsoleForm):
    """A replacement is asked for while somebody has the role; `others` are those that the actor may give instead."""

    replacement = RoleField(
        label="Role that takes its place",
        empty_label="Choose a role",
        help_text="Everybody who has the role gets this one.",
    )

    def __init__(self, *args: Any, member: Member, others: list[Role], is_used: bool, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        if is_used:
            offer(self, "replacement", others)
        else:
            del self.fields["replacement"]
