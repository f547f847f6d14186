"""Forms of team administration. Every choice is scoped by the actor; the services check again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet

from accounts.forms import HINT as PASSWORD_HINT
from accounts.models import User
from accounts.validators import validate_person_name
from lendconsole.forms import ConsoleForm, PlainSentences, SubmitOnce, VersionGuard
from teams.capabilities import Capability
from teams.models import Invitation, Member, Office, Role
from teams.office_tree import OfficeField
from teams.policy import givable_roles, reached_offices


class RoleField(forms.ModelChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Role.objects.none(), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        role: Role = obj
        return role.name


def _present(member: Member, office_id: int | None) -> QuerySet[Office]:
    """What a record has now stays among the choices, also when it was closed or is out of reach."""
    offices: QuerySet[Office] = Office.objects.for_organization(member.organization).filter(pk=office_id or 0)
    return offices


def _offer(form: ConsoleForm, name: str, rows: QuerySet[Any]) -> None:
    field: Any = form.fields[name]
    field.queryset = rows


def _name_field(label: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=80, validators=[validate_person_name])


class InviteForm(SubmitOnce, ConsoleForm):
    first_name = _name_field("First name")
    last_name = _name_field("Last name")
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        help_text="The invitation goes to this address and can be accepted by its owner alone.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = RoleField(label="Select role", empty_label="Choose a role")
    office = OfficeField(Office.objects.none(), label="Office", empty_label="Choose an office")

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        _offer(self, "role", givable_roles(member))
        _offer(self, "office", reached_offices(member, Capability.MEMBERS_INVITE))


class ManageMemberForm(SubmitOnce, VersionGuard, ConsoleForm):
    """`target`: whom the actor manages. What the target has now is always among the choices."""

    role = RoleField(label="Role", empty_label=None)
    office = OfficeField(Office.objects.none(), label="Office", empty_label=None)

    def __init__(self, *args: Any, member: Member, target: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        _offer(self, "role", givable_roles(member))
        offices = reached_offices(member, Capability.MEMBERS_MANAGE)
        _offer(self, "office", offices | _present(member, target.office_id))


class ConfirmForm(SubmitOnce, ConsoleForm):
    """Nothing but the button."""


class OfficeForm(SubmitOnce, ConsoleForm):
    name = forms.CharField(max_length=120, validators=[validate_person_name])
    type = forms.ChoiceField(choices=Office.Type, initial=Office.Type.BRANCH)
    parent = OfficeField(
        Office.objects.none(),
        label="Belongs to",
        required=False,
        empty_label="Nothing: it stands on its own",
        help_text="Whoever reaches an office reaches those below it too.",
    )
    description = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        _offer(self, "parent", reached_offices(member, Capability.OFFICES_VIEW))


class OfficeEditForm(VersionGuard, OfficeForm):
    """`office`: the one that is changed. It and those below it are no place to move it to."""

    is_active = forms.BooleanField(
        label="Active",
        required=False,
        help_text="An office that is not active takes no members, invitations or customers and stays in the history.",
    )
    field_order = ("name", "type", "parent", "description", "is_active")

    def __init__(self, *args: Any, member: Member, office: Office, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offices = reached_offices(member, Capability.OFFICES_VIEW).not_below(office)  # type: ignore[attr-defined]
        _offer(self, "parent", offices | _present(member, office.parent_id))


class SecurityForm(SubmitOnce, ConsoleForm):
    requires_second_factor = forms.BooleanField(
        label="Every member needs a second factor",
        required=False,
        help_text="A code from an app on the phone, or a passkey. Who has none yet is asked to set one up before going on.",
    )


class NewPersonForm(PlainSentences, forms.Form):
    """Somebody without a login takes up an invitation. The address is the invitation's and not theirs to choose."""

    first_name = _name_field("First name")
    last_name = _name_field("Last name")
    password1 = forms.CharField(
        label="Password",
        help_text=PASSWORD_HINT,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label="Password, once more",
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, invitation: Invitation) -> None:
        self.invitation = invitation
        super().__init__(data, initial={"first_name": invitation.first_name, "last_name": invitation.last_name})

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        first, second = facts.get("password1"), facts.get("password2")
        if first and second and first != second:
            self.add_error("password2", "The two passwords differ. Type the same one twice.")
        elif first:
            self._check_password(first, facts)
        return facts

    def _check_password(self, password: str, facts: dict[str, Any]) -> None:
        person = User(
            email=self.invitation.email,
            first_name=facts.get("first_name", ""),
            last_name=facts.get("last_name", ""),
        )
        try:
            validate_password(password, person)
        except forms.ValidationError as error:
            self.add_error("password1", error)
