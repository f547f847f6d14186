"""Forms of team administration. Every choice is scoped by the actor; the services check again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet
from django.utils.html import escape

from accounts.forms import HINT as PASSWORD_HINT
from accounts.logos import MOST_BYTES as MOST_LOGO_BYTES
from accounts.models import User
from accounts.validators import validate_person_name
from lendconsole.forms import ConsoleForm, PlainSentences, RowChoiceField, SubmitOnce, VersionGuard
from notifications.letters import switches
from teams.capabilities import Capability
from teams.invitation_lists import EXAMPLE, MOST_BYTES, ListRefused, make_wishes, read_file, read_lines
from teams.models import Invitation, Member, Office, Role
from teams.office_tree import OfficeField
from teams.policy import givable_roles, reached_offices
from teams.services.security import IDLE_MINUTES, LONGEST_GRACE, SESSION_HOURS


class RoleField(RowChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Role.objects.none(), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        role: Role = obj
        return role.name


def _present(member: Member, office_id: int | None) -> QuerySet[Office]:
    """What a record has now stays among the choices, also when it was closed or is out of reach."""
    offices: QuerySet[Office] = Office.objects.for_organization(member.organization).filter(pk=office_id or 0)
    return offices


def offer(form: ConsoleForm, name: str, rows: Iterable[Any]) -> None:
    field: Any = form.fields[name]
    field.offer(rows)


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
    office = OfficeField(label="Office", empty_label="Choose an office")

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "role", givable_roles(member))
        offer(self, "office", reached_offices(member, Capability.MEMBERS_INVITE))


class InviteSeveralForm(SubmitOnce, ConsoleForm):
    """`cleaned_data["wishes"]` holds the rows of the list, whichever way it came."""

    people = forms.CharField(
        label="People",
        required=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=f"One on each line: {escape(EXAMPLE)}, or ngozi@example.com, Ngozi, Eze.",
    )
    file = forms.FileField(
        label="Or a CSV file",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="Its first row names the columns: e-mail, first name, last name, role, office.",
    )
    role = RoleField(label="Role", required=False, empty_label="As the list says", help_text="For rows without one.")
    office = OfficeField(
        label="Office",
        required=False,
        empty_label="As the list says",
        help_text="For rows without one.",
    )
    mark_optional = False

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "role", givable_roles(member))
        offer(self, "office", reached_offices(member, Capability.MEMBERS_INVITE))

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        if self.errors:
            return facts
        try:
            text = read_file(facts["file"]) if facts.get("file") is not None else facts["people"]
            lines = read_lines(text)
        except ListRefused as error:
            field = "file" if facts.get("file") is not None else "people"
            self.add_error(field, str(error))
            return facts
        wishes = make_wishes(self.member, lines, role=facts.get("role"), office=facts.get("office"))
        return {**facts, "wishes": wishes}


class ManageMemberForm(SubmitOnce, VersionGuard, ConsoleForm):
    """`target`: whom the actor manages. What the target has now is always among the choices."""

    role = RoleField(label="Role", empty_label=None)
    office = OfficeField(label="Office", empty_label=None)

    def __init__(self, *args: Any, member: Member, target: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "role", givable_roles(member))
        offices = reached_offices(member, Capability.MEMBERS_MANAGE)
        offer(self, "office", offices | _present(member, target.office_id))


class ChangeInvitationForm(SubmitOnce, VersionGuard, ConsoleForm):
    """`invitation`: the one that nobody has accepted yet. Its present office is always among the choices."""

    role = RoleField(label="Role", empty_label=None)
    office = OfficeField(label="Office", empty_label=None)

    def __init__(self, *args: Any, member: Member, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "role", givable_roles(member))
        offices = reached_offices(member, Capability.MEMBERS_INVITE)
        offer(self, "office", offices | _present(member, invitation.office_id))


class ChangeSeveralForm(SubmitOnce, ConsoleForm):
    """`chosen` carries the members and the versions that were shown, such as "12:3,14:1"; the view reads it."""

    chosen = forms.CharField(widget=forms.HiddenInput, max_length=10_000)
    role = RoleField(label="Role", required=False, empty_label="Keep each one’s role")
    office = OfficeField(label="Office", required=False, empty_label="Keep each one’s office")
    mark_optional = False

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        offer(self, "role", givable_roles(member))
        offer(self, "office", reached_offices(member, Capability.MEMBERS_MANAGE))

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        if not self.errors and not facts.get("role") and not facts.get("office"):
            raise forms.ValidationError("Choose a role or an office.")
        return facts


class ConfirmForm(SubmitOnce, ConsoleForm):
    """Nothing but the button."""


class LeaveForm(SubmitOnce, ConsoleForm):
    """Typed by hand, because nobody can take it back alone."""

    name = forms.CharField(label="Name of the organization", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if " ".join(typed.split()).casefold() != " ".join(self.member.organization.name.split()).casefold():
            raise forms.ValidationError(f"Type {self.member.organization.name} to confirm.")
        return typed


class OwnEmailsForm(SubmitOnce, ConsoleForm):
    """What the organization has switched off for everybody is no choice."""

    sent_emails = forms.MultipleChoiceField(
        label="Sent to you",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What concerns your access and your sign-in is always sent.",
    )
    mark_optional = False

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        field: Any = self.fields["sent_emails"]
        off = member.organization.muted_emails
        field.choices = [(kind, words) for kind, words in switches(personal_only=True) if kind not in off]

    @property
    def muted(self) -> list[str]:
        """What is not offered stays as it was chosen before."""
        offered = {kind for kind, _ in self.fields["sent_emails"].choices}  # type: ignore[attr-defined]  # as above
        kept = [kind for kind in self.member.muted_emails if kind not in offered]
        return [*kept, *(offered - set(self.cleaned_data["sent_emails"]))]


class LogoForm(SubmitOnce, ConsoleForm):
    """What the file holds is the service's to judge; more than it takes is never read."""

    logo = forms.FileField(
        label="Picture",
        max_length=200,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text="PNG, JPEG or WebP, at most 1 MB and 2,000 by 2,000 pixels.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )

    @property
    def content(self) -> bytes:
        return bytes(self.cleaned_data["logo"].read(MOST_LOGO_BYTES + 1))


class SecurityForm(SubmitOnce, VersionGuard, ConsoleForm):
    requires_second_factor = forms.BooleanField(
        label="Every member needs a second factor",
        required=False,
        help_text="A code from an app on the phone, or a passkey.",
    )
    grace_days = forms.IntegerField(
        label="Days to set one up",
        required=False,
        min_value=0,
        max_value=LONGEST_GRACE,
        help_text="Until then a line on every page reminds those who have none; afterwards they set one up before "
        "going on. 0: at once.",
    )
    session_idle_minutes = forms.TypedChoiceField(
        label="Sign out without a click for",
        coerce=int,
        choices=[(minutes, f"{minutes} minutes") for minutes in IDLE_MINUTES],
    )
    session_hours = forms.TypedChoiceField(
        label="Sign out in any case after",
        coerce=int,
        choices=[(hours, "1 hour" if hours == 1 else f"{hours} hours") for hours in SESSION_HOURS],
        help_text="Holds for the whole login of everybody who opens this console.",
    )
    mark_optional = False


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
