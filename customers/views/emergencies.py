"""Emergency access: taken from a card, listed and reviewed."""

from __future__ import annotations

from typing import Any, Final

from accounts.pages import ActionPage, ConsolePage
from accounts.pagination import paginate
from customers.forms.access import EmergencyAccessForm
from customers.models import TemporaryAccess
from customers.policy import find_emergency
from customers.readers import emergencies
from customers.services.access import review_emergency, use_emergency_access
from customers.views.pages import CustomerPage, neighbors
from teams.capabilities import Capability

EMERGENCIES_A_PAGE: Final = 50


class EmergencyAccessView(CustomerPage):
    capability = Capability.CUSTOMERS_EMERGENCY
    needed = Capability.CUSTOMERS_FIND
    fresh_sign_in = True
    template_name = "customers/emergency_access.html"
    form_class = EmergencyAccessForm

    def carry_out(self, form: EmergencyAccessForm) -> str:
        use_emergency_access(actor=self.member, customer=self.customer, reason=form.cleaned_data["reason"])
        return f"{self.customer.name} is open to you for 30 minutes. The account manager and the admins are told."

    def next_url(self) -> str:
        return str(self.member.url("customers:customer_profile", self.customer.pk))


class EmergencyListView(ConsolePage):
    """Every use, the newest first, with who reviewed it."""

    capability = Capability.CUSTOMERS_OVERSEE
    template_name = "customers/emergency_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        only_open = self.request.GET.get("show") == "open"
        rows = emergencies(self.member)
        if only_open:
            rows = rows.filter(reviewed_at=None)
        page = paginate(rows, order=("-starts_at", "-id"), size=EMERGENCIES_A_PAGE, **self.cursors)
        return super().get_context_data(uses=page.rows, only_open=only_open, **neighbors(self.request, page), **kwargs)


class EmergencyReviewView(ActionPage):
    capability = Capability.CUSTOMERS_OVERSEE

    def carry_out(self) -> str:
        found = find_emergency(self.member, self.kwargs["pk"])
        access: TemporaryAccess = review_emergency(actor=self.member, access=found)
        return f"The emergency access of {access.member.name} to {access.customer.name} is reviewed."

    def next_url(self) -> str:
        return str(self.member.url("customers:emergency_list"))
