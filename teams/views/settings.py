"""Settings: the logo and the security policy."""

from __future__ import annotations

from typing import Any, Final

from accounts.pages import ActionPage, FormPage
from accounts.pagination import PAGE_SIZE
from teams import services
from teams.capabilities import Capability
from teams.forms import LogoForm, SecurityForm
from teams.readers import members_without_second_factor

POLICY: Final = ("requires_second_factor", "session_idle_minutes", "session_hours")
USUAL_GRACE: Final = 7


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
        lacking = members_without_second_factor(self.member)
        return super().get_context_data(lacking=lacking[:PAGE_SIZE], lacking_count=lacking.count(), **kwargs)

    def carry_out(self, form: Any) -> str:
        facts = {name: form.cleaned_data[name] for name in (*POLICY, "grace_days", "version")}
        services.change_security_policy(actor=self.member, **facts)
        return "The security policy is saved. It is in force from everybody’s next click."

    def next_url(self) -> str:
        return self.member.url("teams:security")
