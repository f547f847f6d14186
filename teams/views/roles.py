"""Settings: the roles, what each allows, who holds it, and who may do what. Changing one is customers' business, which counts them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from accounts.pages import ConsolePage, FormPage
from teams import services
from teams.capabilities import Capability
from teams.models import Member, Role
from teams.policy import find_among_roles, find_role, may_clone, may_edit
from teams.readers import capability_holders, role_rows
from teams.role_forms import RoleCloneForm, RoleForm
from teams.role_words import permission_table

PEOPLE_SHOWN: Final = 50


class RoleListView(ConsolePage):
    """The roles one below the other, or (`?show=table`) beside each other: a line per permission, a column per role."""

    capability = Capability.ROLES_VIEW
    template_name = "teams/role_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        roles = role_rows(self.member)
        in_table = self.request.GET.get("show") == "table"
        units = permission_table(roles) if in_table else ()
        return super().get_context_data(roles=roles, units=units, in_table=in_table, **kwargs)


class RoleDetailView(ConsolePage):
    """What one role allows, alone or beside another one (`?with=`), and who holds it."""

    capability = Capability.ROLES_VIEW
    template_name = "teams/role_detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        role, others = find_among_roles(self.member, self.kwargs["pk"])
        other = next((each for each in others if str(each.pk) == self.request.GET.get("with")), None)
        shown: list[Role] = [role, other] if other else [role]
        holders = Member.objects.visible_to(self.member).active().filter(role=role)
        holders = holders.select_related("user", "office").order_by("user__first_name", "user__last_name", "pk")
        return super().get_context_data(
            role=role,
            others=others,
            other=other,
            units=permission_table(shown),
            roles=shown,
            holders=holders[:PEOPLE_SHOWN],
            holder_count=holders.count(),
            may_edit=may_edit(self.member, role),
            may_clone=may_clone(self.member, role),
            **kwargs,
        )


class RoleHoldersView(ConsolePage):
    """Who can do this? The roles that allow a permission and the people who have them."""

    capability = Capability.ROLES_VIEW
    template_name = "teams/role_holders.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("permission")
        chosen = Capability(asked) if asked in Capability.values else Capability.CUSTOMERS_FIND
        roles, members = capability_holders(self.member, chosen)
        return super().get_context_data(
            chosen=chosen,
            capabilities=Capability,
            roles=roles,
            members=members[:PEOPLE_SHOWN],
            member_count=len(members),
            **kwargs,
        )


class RoleCreateView(FormPage):
    capability = Capability.ROLES_MANAGE
    fresh_sign_in = True
    template_name = "teams/role_create.html"
    form_class = RoleForm

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in ("name", "description")}
        role = services.create_role(actor=self.member, reaches=form.reaches, **facts)
        return f"The role {role.name} is there and can be given to people."

    def next_url(self) -> str:
        return self.member.url("teams:role_list")


class RoleCloneView(FormPage):
    capability = Capability.ROLES_MANAGE
    fresh_sign_in = True
    template_name = "teams/role_clone.html"
    form_class = RoleCloneForm
    clone: Role

    @cached_property
    def source(self) -> Role:
        return find_role(self.member, self.kwargs["pk"])

    def get_initial(self) -> dict[str, Any]:
        return {"name": f"{self.source.name} (copy)"[:80], "description": self.source.description}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(role=self.source, **kwargs)

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in ("name", "description")}
        self.clone = services.clone_role(actor=self.member, role=self.source, **facts)
        return f"{self.clone.name} allows what {self.source.name} allows. Change it as you like."

    def next_url(self) -> str:
        return self.member.url("customers:role_edit", self.clone.pk)
