"""What is typed about a next of kin or a guarantor."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from customers.forms.fields import PhoneField
from customers.models import RelatedPerson
from customers.services.related_people import RelatedPersonFacts
from lendconsole.forms import ConsoleForm, ConsoleModelForm, SubmitOnce, VersionGuard
from teams.models import Member


class RelatedPersonForm(SubmitOnce, ConsoleModelForm):
    phone = PhoneField(required=False)

    class Meta:
        model = RelatedPerson
        fields = ("name", "relationship", "address")
        widgets = {"address": forms.Textarea({"rows": 2})}

    field_order = ("kind", "name", "relationship", "phone", "address")

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        cast(PhoneField, self.fields["phone"]).region = member.organization.phone_region
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"  # it is somebody else's

    @property
    def facts(self) -> RelatedPersonFacts:
        known = RelatedPersonFacts.__annotations__
        return cast(RelatedPersonFacts, {name: self.cleaned_data[name] for name in known})


class RelatedPersonCreateForm(RelatedPersonForm):
    kind = forms.ChoiceField(choices=RelatedPerson.Kind)


class RelatedPersonEditForm(VersionGuard, RelatedPersonForm):
    """The kind stays: a guarantor has signed as one."""


class RelatedPersonRemoveForm(SubmitOnce, ConsoleForm):
    """A button."""
