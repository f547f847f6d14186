"""Settings of the organization. The page lives with customers, because the currency is theirs too."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from accounts.pages import FormPage
from customers.forms.settings import OrganizationForm
from customers.services import settings
from customers.services.settings import amounts_exist
from notifications.letters import switches
from teams.capabilities import Capability
from teams.services import OrganizationFacts


class OrganizationSettingsView(FormPage):
    capability = Capability.ORGANIZATION_SETTINGS
    template_name = "customers/organization_settings.html"
    form_class = OrganizationForm

    def get_initial(self) -> dict[str, Any]:
        organization = self.member.organization
        sent = [kind for kind, _ in switches() if kind not in organization.muted_emails]
        return {**asdict(OrganizationFacts.of(organization)), "sent_emails": sent, "version": organization.version}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(currency_in_use=amounts_exist(self.member.organization), **kwargs)

    def carry_out(self, form: Any) -> str:
        facts, version = form.cleaned_data["facts"], form.cleaned_data["version"]
        settings.change_organization(actor=self.member, facts=facts, version=version)
        return "The settings are saved."

    def next_url(self) -> str:
        return self.member.url("customers:organization_settings")
