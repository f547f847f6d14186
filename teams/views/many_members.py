"""Settings: one role or office for several members, from the list to a preview to the change."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from accounts import parameters
from accounts.pages import FormPage
from lendconsole.errors import NotVisible
from teams import services
from teams.capabilities import Capability
from teams.forms import ChangeSeveralForm
from teams.models import Member
from teams.services.many_members import MOST_MEMBERS


class MembersChangeView(FormPage):
    """The list opens it with the numbers of the chosen; the form carries them on with the versions that were shown."""

    capability = Capability.MEMBERS_MANAGE
    template_name = "teams/members_change.html"
    form_class = ChangeSeveralForm
    chosen: list[Member]

    def needs_fresh_sign_in(self) -> bool:
        return any(member.role.is_super_admin for member in self.chosen)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.chosen = _members(self.member, dict.fromkeys(request.GET.getlist("member"), ""))
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pairs = (pair.partition(":") for pair in request.POST.get("chosen", "").split(",") if pair)
        self.chosen = _members(self.member, {number: version for number, _, version in pairs})
        if "change" in request.POST:
            return super().post(request, *args, **kwargs)
        form = self.get_form()
        if not form.is_valid():
            return self.form_invalid(form)
        return self.render_to_response(self.get_context_data(form=form))

    def get_initial(self) -> dict[str, Any]:
        return {"chosen": ",".join(f"{member.pk}:{member.version}" for member in self.chosen)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(chosen=self.chosen, **kwargs)
        return {**context, **self._preview(context["form"])}

    def _preview(self, form: forms.Form) -> dict[str, Any]:
        facts = getattr(form, "cleaned_data", {}) if form.is_bound else {}
        role, office = facts.get("role"), facts.get("office")
        if not self.chosen or not (role or office):
            return {}
        changes = services.check_members(actor=self.member, members=self.chosen, role=role, office=office)
        return {
            "role": role,
            "office": office,
            "changes": changes,
            "refused": sum(1 for change in changes if change.refusal),
            "affected": sum(1 for change in changes if change.is_new and not change.refusal),
            "preview_key": uuid.uuid4(),
        }

    def carry_out(self, form: Any) -> str:
        role, office = form.cleaned_data["role"], form.cleaned_data["office"]
        changes = services.change_members(actor=self.member, members=self.chosen, role=role, office=office)
        count = sum(1 for change in changes if change.is_new)
        place = " in ".join(row.name for row in (role, office) if row)
        return f"{count} {'member is' if count == 1 else 'members are'} now {'' if role else 'in '}{place}."

    def next_url(self) -> str:
        return str(self.member.url("teams:member_list"))


def _members(actor: Member, versions: dict[str, str]) -> list[Member]:
    """The members of the numbers, as the actor saw them. Raises NotVisible when one is not theirs to see."""
    wanted = {parameters.number(written): version for written, version in versions.items()}
    numbers = [number for number in wanted if number is not None]
    if len(numbers) != len(wanted) or len(wanted) > MOST_MEMBERS:
        raise NotVisible
    rows = Member.objects.visible_to(actor).present().filter(pk__in=numbers)
    members = list(rows.select_related("user", "role", "office", "organization").order_by("pk"))
    if len(members) != len(wanted):
        raise NotVisible
    for member in members:
        if shown := wanted[member.pk]:
            member.version = parameters.number(shown) or 0
    return members
