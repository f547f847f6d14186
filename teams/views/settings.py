"""Settings: the security policy."""

from __future__ import annotations

from typing import Any

from accounts.pages import FormPage
from teams import services
from teams.capabilities import Capability
from teams.forms import SecurityForm
from teams.readers import members_without_second_factor


class SecurityView(FormPage):
    capability = Capability.ORGANIZATION_SECURITY
    template_name = "teams/security.html"
    form_class = SecurityForm

    def get_initial(self) -> dict[str, Any]:
        return {"requires_second_factor": self.member.organization.requires_second_factor}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(lacking=members_without_second_factor(self.member), **kwargs)

    def carry_out(self, form: Any) -> str:
        required = form.cleaned_data["requires_second_factor"]
        services.change_security_policy(actor=self.member, requires_second_factor=required)
        if required:
            return "Every member now needs a second factor."
        return "A second factor is now each member’s own choice."

    def next_url(self) -> str:
        return self.member.url("teams:security")
