"""Settings: offices, the logo and the security policy."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.pages import ActionPage, ConsolePage, FormPage
from lendconsole.errors import NotVisible
from teams import services
from teams.capabilities import Capability
from teams.forms import LogoForm, OfficeEditForm, OfficeForm, SecurityForm
from teams.models import Office
from teams.readers import members_without_second_factor, office_rows

FACTS = ("name", "description", "parent")
POLICY = ("requires_second_factor", "session_idle_minutes", "session_hours")
USUAL_GRACE = 7


class OfficeListView(ConsolePage):
    capability = Capability.OFFICES_VIEW
    template_name = "teams/office_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(offices=office_rows(self.member), **kwargs)


class OfficeCreateView(FormPage):
    capability = Capability.OFFICES_MANAGE
    template_name = "teams/office_form.html"
    form_class = OfficeForm

    def get_initial(self) -> dict[str, Any]:
        return {"parent": self.request.GET.get("parent") or self.member.office_id}

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in FACTS}
        office = services.create_office(actor=self.member, office_type=form.cleaned_data["type"], **facts)
        return f"The office {office.name} is there."

    def next_url(self) -> str:
        return self.member.url("teams:office_list")


class OfficeEditView(FormPage):
    capability = Capability.OFFICES_MANAGE
    template_name = "teams/office_form.html"
    form_class = OfficeEditForm
    office: Office

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._find()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._find()
        return super().post(request, *args, **kwargs)

    def _find(self) -> None:
        reached = Office.objects.reached_by(self.member, Capability.OFFICES_VIEW)
        office = reached.with_counts().filter(pk=self.kwargs["pk"]).first()
        if office is None:
            raise NotVisible
        self.office = office

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "office": self.office}

    def get_initial(self) -> dict[str, Any]:
        fields = ("name", "type", "description", "is_active", "version")
        return {**{name: getattr(self.office, name) for name in fields}, "parent": self.office.parent_id}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(office=self.office, **kwargs)

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in (*FACTS, "is_active", "version")}
        office = services.change_office(
            actor=self.member, office=self.office, office_type=form.cleaned_data["type"], **facts
        )
        return f"The office {office.name} is saved."

    def next_url(self) -> str:
        return self.member.url("teams:office_list")


class LogoUploadView(FormPage):
    capability = Capability.ORGANIZATION_SETTINGS
    template_name = "teams/organization_logo.html"
    form_class = LogoForm

    def carry_out(self, form: Any) -> str:
        services.set_logo(actor=self.member, content=form.content)
        return "The logo is there, on every page and for borrowers too."

    def next_url(self) -> str:
        return self.member.url("customers:organization_settings")


class LogoRemoveView(ActionPage):
    capability = Capability.ORGANIZATION_SETTINGS

    def carry_out(self) -> str:
        services.remove_logo(actor=self.member)
        return "The logo is removed."

    def next_url(self) -> str:
        return self.member.url("customers:organization_settings")


class SecurityView(FormPage):
    capability = Capability.ORGANIZATION_SECURITY
    fresh_sign_in = True
    template_name = "teams/security.html"
    form_class = SecurityForm

    def get_initial(self) -> dict[str, Any]:
        organization = self.member.organization
        present = {name: getattr(organization, name) for name in (*POLICY, "version")}
        return {**present, "grace_days": None if organization.requires_second_factor else USUAL_GRACE}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(lacking=members_without_second_factor(self.member), **kwargs)

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in (*POLICY, "grace_days", "version")}
        services.change_security_policy(actor=self.member, **facts)
        return "The security policy is saved. It is in force from everybody’s next click."

    def next_url(self) -> str:
        return self.member.url("teams:security")
