"""Requests for access: made from a card, listed, granted for a time or declined."""

from __future__ import annotations

from typing import Any, Final

from accounts.pages import ConsolePage, FormPage
from accounts.pagination import paginate
from customers.forms.access import AccessDeclineForm, AccessGrantForm, AccessRequestForm
from customers.models import AccessRequest
from customers.policy import find_request
from customers.readers import access_requests, own_access_requests
from customers.services.access import decline_access, grant_access, request_access
from customers.views.pages import CustomerPage, neighbors
from lendconsole.errors import PermissionMissing
from teams.capabilities import Capability

REQUESTS_A_PAGE: Final = 50


class AccessRequestView(CustomerPage):
    """Whether there is anything to ask for, the service says."""

    capability = Capability.CUSTOMERS_VIEW
    needed = Capability.CUSTOMERS_FIND
    template_name = "customers/access_request.html"
    form_class = AccessRequestForm

    def carry_out(self, form: AccessRequestForm) -> str:
        request_access(
            actor=self.member,
            customer=self.customer,
            reason=form.cleaned_data["reason"],
            hours=form.cleaned_data["hours"],
        )
        return (
            f"Your request for access to {self.customer.name} is on its way. You will get an e-mail with the decision."
        )


class AccessRequestListView(ConsolePage):
    """What waits for the member's decision, or is overseen, and what the member asked for."""

    capability = Capability.CUSTOMERS_VIEW
    template_name = "customers/access_request_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = access_requests(self.member)
        page = paginate(rows, order=("created_at", "id"), size=REQUESTS_A_PAGE, **self.cursors)
        return super().get_context_data(
            requests=page.rows,
            own_requests=own_access_requests(self.member),
            **neighbors(self.request, page),
            **kwargs,
        )


class DecisionPage(FormPage):
    """A form about the request of the address, for those who decide it."""

    capability = Capability.CUSTOMERS_VIEW
    asked: AccessRequest

    def find(self) -> None:
        self.asked = find_request(self.member, self.kwargs["pk"])
        if not self.asked.can_decide:  # type: ignore[attr-defined]  # annotated by known_to
            raise PermissionMissing(
                f"The account manager of {self.asked.customer.name}, or who may choose one, decides this."
            )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(asked=self.asked, **kwargs)

    def next_url(self) -> str:
        return str(self.member.url("customers:access_request_list"))


class AccessRequestGrantView(DecisionPage):
    template_name = "customers/access_request_grant.html"
    form_class = AccessGrantForm

    def get_initial(self) -> dict[str, Any]:
        return {"hours": self.asked.hours}

    def carry_out(self, form: AccessGrantForm) -> str:
        access = grant_access(actor=self.member, request=self.asked, hours=form.cleaned_data["hours"])
        return f"{access.customer.name} is open to {access.member.name} for {AccessRequest.Time(form.cleaned_data['hours']).label}."


class AccessRequestDeclineView(DecisionPage):
    template_name = "customers/access_request_decline.html"
    form_class = AccessDeclineForm

    def carry_out(self, form: AccessDeclineForm) -> str:
        decline_access(actor=self.member, request=self.asked, answer=form.cleaned_data["answer"])
        return f"The request of {self.asked.member.name} is declined. Your answer goes to them by e-mail."
