"""Naming who stands in for whom."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from customers.policy import eligible_members
from lendconsole.forms import ConsoleForm, DateInput, RowChoiceField, SubmitOnce
from teams.models import Member


class SubstituteField(RowChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        member: Member = obj
        return f"{member.name} · {member.role.name}, {member.office.name}"


class CoverForm(SubmitOnce, ConsoleForm):
    substitute = SubstituteField(queryset=None, label="Who stands in", empty_label="Choose a team member")
    first_day = forms.DateField(label="First day", widget=DateInput())
    last_day = forms.DateField(label="Last day", widget=DateInput())
    reason = forms.CharField(required=False, max_length=300)

    def __init__(self, *args: Any, member: Member, covered: Member, **kwargs: Any) -> None:
        super().__init__(*args, member=member, **kwargs)
        people = eligible_members(member.organization).exclude(pk=covered.pk)
        cast(SubstituteField, self.fields["substitute"]).offer(people)
