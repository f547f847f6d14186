"""Forms of offices: their facts, and what changes the tree. Every choice is scoped by the actor; the services check again."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from accounts.validators import validate_person_name
from lendconsole.forms import ConsoleForm, RowChoiceField, SubmitOnce, VersionGuard
from teams.capabilities import Capability
from teams.forms import offer
from teams.models import Member, Office
from teams.office_tree import OfficeField
from teams.policy import eligible_heads, reached_offices
from teams.services.closing import Piles, Targets

HEAD_HINT: Final = "Any active member. Being the head is shown in the tree of offices and gives no permission."


def _outside(office: Office, others: list[Office]) -> list[Office]:
    """Without those below it."""
    return [other for other in others if not other.path.startswith(office.path)]


class HeadField(RowChoiceField):
    def __init__(self) -> None:
        super().__init__(
            Member.objects.none(), label="Head of office", required=False, empty_label="Nobody", help_text=HEAD_HINT
        )

    def label_from_instance(self, obj: Any) -> str:
        member: Member = obj
        return f"{member.name}, {member.office.name}"


class _OfficeFacts(SubmitOnce, ConsoleForm):
    name = forms.CharField(max_length=120, validators=[validate_person_name])
    type = forms.ChoiceField(choices=Office.Type, initial=Office.Type.BRANCH)
    head = HeadField()
    description = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        heads: Any = eligible_heads(member)
        offer(self, "head", heads.with_name_key().order_by("name_key", "pk"))
        if not member.may(Capability.MEMBERS_VIEW):
            del self.fields["head"]


class OfficeForm(_OfficeFacts):
    parent = OfficeField(
        label="Belongs to",
        required=False,
        empty_label="Nothing: it stands on its own",
        help_text="Whoever reaches an office reaches those below it too.",
    )
    field_order = ("name", "type", "parent", "head", "description")

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "parent", reached_offices(member, Capability.OFFICES_VIEW))


class OfficeEditForm(VersionGuard, _OfficeFacts):
    """Where the office belongs has a page of its own, because that changes what people reach."""


class OfficeMoveForm(SubmitOnce, VersionGuard, ConsoleForm):
    """`office`: the one that moves. It and those below it are no place to move it to. `others`: offices to choose from."""

    parent = OfficeField(
        label="Belongs to",
        empty_label=None,
        help_text="Whoever reaches an office reaches those below it too.",
    )

    def __init__(self, *args: Any, member: Member, office: Office, others: list[Office], **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "parent", _outside(office, others))
        if office.type == Office.Type.HEAD_OFFICE:
            field: Any = self.fields["parent"]
            field.empty_label, field.required = "Nothing: it stands on its own", False
        self.mark_optional = False


class OfficeDeactivateForm(SubmitOnce, VersionGuard, ConsoleForm):
    """One field for each pile of something. `targets` is what the service asks for."""

    members = OfficeField(label="Members go to", empty_label="Choose an office")
    customers = OfficeField(
        label="Customers go to",
        empty_label="Choose an office",
        help_text=(
            "They keep their account managers. Where a manager then works in another office than the customer, the "
            "customer’s profile says so."
        ),
    )
    invitations = OfficeField(label="Invitations go to", empty_label="Choose an office")
    offices = OfficeField(label="Offices below it go under", empty_label="Choose an office")

    def __init__(
        self, *args: Any, member: Member, office: Office, others: list[Office], piles: Piles, **kwargs: Any
    ) -> None:
        super().__init__(*args, member=member, **kwargs)
        for kind, count in piles.counts.items():
            if count:
                offer(self, kind, _outside(office, others) if kind == "offices" else others)
            else:
                del self.fields[kind]

    @property
    def targets(self) -> Targets:
        return Targets(
            **{kind: self.cleaned_data.get(kind) for kind in ("members", "customers", "invitations", "offices")}
        )


class OfficeMergeForm(SubmitOnce, VersionGuard, ConsoleForm):
    into = OfficeField(label="Merge into", empty_label="Choose an office")
    sure = forms.BooleanField(error_messages={"required": "Tick this to go on."})

    def __init__(
        self, *args: Any, member: Member, office: Office, others: list[Office], piles: Piles, **kwargs: Any
    ) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "into", _outside(office, others))
        self.fields["sure"].label = (
            f"Move {piles.words} and deactivate {office.name}" if piles else f"Deactivate {office.name}"
        )
