"""Changing and deleting a role. It lives with customers, because what that does to people's sight of them is shown first."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms

from accounts.pages import FormPage
from accounts.pagination import CappedCount
from customers.role_effects import RoleEffects, role_effects
from customers.services import roles
from teams.capabilities import Capability
from teams.models import Invitation, Member, Role
from teams.policy import find_among_roles, find_role, may_give, require_editable
from teams.role_forms import RoleDeleteForm, RoleEditForm, reach_values


class RolePage(FormPage):
    """A form about the role of the address, with what the choice would do (`effects`): live, or on a button without JavaScript."""

    capability = Capability.ROLES_MANAGE
    fresh_sign_in = True
    preview_button = "preview"
    role: Role

    def find(self) -> None:
        self.role = find_role(self.member, self.kwargs["pk"])
        require_editable(self.member, self.role)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(role=self.role, **kwargs)
        return {**context, "effects": self.effects(context["form"])}

    def effects(self, form: Any) -> RoleEffects | None:
        raise NotImplementedError

    def next_url(self) -> str:
        return self.member.url("teams:role_list")


class RoleEditView(RolePage):
    template_name = "customers/role_edit.html"
    form_class = RoleEditForm

    def get_initial(self) -> dict[str, Any]:
        present = {name: getattr(self.role, name) for name in ("name", "description", "version")}
        chosen = {each.field_name for each in Capability} & set(self.request.GET)
        return {**present, **reach_values(self.role.reaches), **{name: self.request.GET[name] for name in chosen}}

    def effects(self, form: Any) -> RoleEffects:
        return role_effects(self.role, form.shown_reaches)

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in ("name", "description", "version")}
        role = roles.change_role(actor=self.member, role=self.role, reaches=form.reaches, **facts)
        return f"The role {role.name} is saved. It is in force from the next click of everybody who has it."


class RoleDeleteView(RolePage):
    template_name = "customers/role_delete.html"
    form_class = RoleDeleteForm

    def find(self) -> None:
        self.role, self.others = find_among_roles(self.member, self.kwargs["pk"])
        require_editable(self.member, self.role)

    def get_initial(self) -> dict[str, Any]:
        return {"replacement": self.request.GET.get("replacement")}

    def get_form_kwargs(self) -> dict[str, Any]:
        others = [each for each in self.others if may_give(self.member, each)]
        return {**super().get_form_kwargs(), "others": others, "is_used": any(self._used)}

    @cached_property
    def _used(self) -> tuple[int, int]:
        """How many members and pending invitations have the role."""
        organization = self.member.organization
        used = (
            Member.objects.for_organization(organization),
            Invitation.objects.for_organization(organization).pending(),
        )
        counts = (CappedCount(rows.filter(role=self.role), cap=None) for rows in used)
        found: tuple[int, int] = Role.objects.for_organization(organization).values_list(*counts).get(pk=self.role.pk)
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        members, invitations = self._used
        return super().get_context_data(members=members, invitations=invitations, **kwargs)

    def effects(self, form: Any) -> RoleEffects | None:
        if "replacement" not in form.fields:
            return None
        try:
            replacement = form.fields["replacement"].clean(form["replacement"].value())
        except forms.ValidationError:
            return None
        return role_effects(self.role, replacement.reaches)

    def carry_out(self, form: Any) -> str:
        replacement = form.cleaned_data.get("replacement")
        roles.delete_role(actor=self.member, role=self.role, replacement=replacement)
        if replacement is None:
            return f"The role {self.role.name} is deleted."
        return f"The role {self.role.name} is deleted. Everybody who had it is now {replacement.name}."
