"""The form of the organization's own settings."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from django import forms

from accounts.validators import time_zones, validate_person_name
from customers.forms.fields import PhoneField
from lendconsole.forms import ConsoleForm, SubmitOnce, VersionGuard
from lendconsole.money import CURRENCIES
from notifications.letters import switches
from teams.models import Member
from teams.services.settings import LONGEST_INVITATION, SHORTEST_INVITATION, OrganizationFacts

CONTINENTS: Final = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip
ADDRESS: Final = {"invalid": "This is not a complete e-mail address, such as hello@example.com."}


def time_zone_choices(present: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """By continent. The present one is always among them."""
    known = sorted(zone for zone in time_zones() if zone.partition("/")[0] in CONTINENTS)
    groups = [
        (continent, [(zone, zone.partition("/")[2].replace("_", " ").replace("/", ", ")) for zone in zones])
        for continent, zones in groupby(known, key=lambda zone: zone.partition("/")[0])
    ]
    others = sorted({"UTC", present} - set(known))
    return [*groups, ("Others", [(zone, zone) for zone in others])]


class OrganizationForm(SubmitOnce, VersionGuard, ConsoleForm):
    """`cleaned_data["facts"]` is what the service takes."""

    name = forms.CharField(max_length=120, validators=[validate_person_name])
    contact_email = forms.EmailField(
        label="Contact e-mail",
        required=False,
        help_text="Stands below e-mails and on the borrower’s page.",
        error_messages=ADDRESS,
    )
    contact_phone = PhoneField(label="Contact phone", required=False)
    website = forms.URLField(
        label="Web site",
        required=False,
        assume_scheme="https",
        max_length=200,
        help_text="Linked from the borrower’s page, such as https://www.example.com.",
        error_messages={"invalid": "This is not the address of a web site, such as https://www.example.com."},
    )
    time_zone = forms.ChoiceField(help_text="All times on screen and in e-mails are told in it.")
    currency = forms.ChoiceField()
    sender_name = forms.CharField(
        label="Sender’s name",
        max_length=80,
        required=False,
        validators=[validate_person_name],
        help_text="Shown as the sender of e-mails. Empty: the name of the organization.",
    )
    reply_to = forms.EmailField(
        label="Answers go to",
        required=False,
        help_text="Where an answer to an e-mail arrives. Empty: the contact e-mail.",
        error_messages=ADDRESS,
    )
    invitation_days = forms.IntegerField(
        label="Days until an invitation ends",
        min_value=SHORTEST_INVITATION,
        max_value=LONGEST_INVITATION,
        help_text="Invitations that were sent already keep their date.",
    )
    sent_emails = forms.MultipleChoiceField(
        label="Sent by e-mail",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Invitations, links that somebody asks for, and what concerns access and sign-in are always sent.",
    )

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        organization: Any = member.organization
        fields: dict[str, Any] = self.fields
        fields["contact_phone"].region = organization.phone_region
        fields["time_zone"].choices = time_zone_choices(organization.time_zone)
        present = {organization.currency: organization.currency}
        fields["currency"].choices = [
            (code, f"{code} · {name}") for code, name in sorted({**present, **CURRENCIES}.items())
        ]
        fields["sent_emails"].choices = switches()

    def clean_website(self) -> str:
        address: str = self.cleaned_data["website"]
        if address and not address.startswith(("https://", "http://")):
            raise forms.ValidationError("The address of a web site begins with https://.")
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            muted = {kind for kind, _ in switches()} - set(cleaned["sent_emails"])
            facts = {name: cleaned[name] for name in OrganizationFacts.__slots__ if name in cleaned}
            cleaned["facts"] = OrganizationFacts(**facts, muted_emails=tuple(sorted(muted)))
        return cleaned


class ExclusivenessForm(SubmitOnce, ConsoleForm):
    """Carries what the button says, so that a page that is out of date does not do the opposite."""

    exclusive = forms.ChoiceField(choices=[("yes", "On"), ("no", "Off")], widget=forms.HiddenInput)
