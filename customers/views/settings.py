"""Settings of the organization. The page lives with customers, because the currency is theirs too."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from accounts.pages import FormPage
from customers.exclusiveness import exclusiveness_effects, may_change_exclusiveness, require_exclusiveness
from customers.forms.settings import ExclusivenessForm, OrganizationForm
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
        return super().get_context_data(
            currency_in_use=amounts_exist(self.member.organization),
            may_change_exclusiveness=may_change_exclusiveness(self.member),
            **kwargs,
        )

    def carry_out(self, form: Any) -> str:
        facts, version = form.cleaned_data["facts"], form.cleaned_data["version"]
        settings.change_organization(actor=self.member, facts=facts, version=version)
        return "The settings are saved."

    def next_url(self) -> str:
        return self.member.url("customers:organization_settings")


class ExclusivenessView(FormPage):
    """The one button turns them off or on, whichever they are not; what that does to whom stands above it."""

    capability = Capability.ORGANIZATION_SETTINGS
    template_name = "customers/organization_exclusiveness.html"
    form_class = ExclusivenessForm

    def get_form_kwargs(self) -> dict[str, Any]:
        require_exclusiveness(self.member)
        return super().get_form_kwargs()

    def get_initial(self) -> dict[str, Any]:
        return {"exclusive": "no" if self.member.organization.exclusive_assignments else "yes"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        organization = self.member.organization
        effects = exclusiveness_effects(organization, exclusive=not organization.exclusive_assignments)
        return super().get_context_data(effects=effects, **kwargs)

    def carry_out(self, form: Any) -> str:
        exclusive = form.cleaned_data["exclusive"] == "yes"
        settings.set_exclusive_assignments(actor=self.member, exclusive=exclusive)
        if exclusive:
            return "Dedicated customers are now open in full to their account managers and overseers only."
        return "Dedicated customers are now open in full to everybody whose role reaches them."

    def next_url(self) -> str:
        return self.member.url("customers:organization_settings")
