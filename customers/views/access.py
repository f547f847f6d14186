"""Who sees one customer, and why."""

from __future__ import annotations

from typing import Any

from accounts import parameters
from accounts.pages import ConsolePage
from customers.lens import SHOWN, look
from customers.policy import require
from customers.querysets import FULL
from customers.services.records import open_profile
from teams.capabilities import Capability


class CustomerAccessView(ConsolePage):
    """For those who oversee the customer: everybody who sees it, and what keeps the others from it."""

    template_name = "customers/customer_access.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        customer = open_profile(actor=self.member, pk=kwargs["pk"], needed=Capability.CUSTOMERS_OVERSEE)
        if customer.access != FULL:
            require(self.member, Capability.CUSTOMERS_VIEW, customer)
        customer.organization = self.member.organization
        asked = self.request.GET
        q, shown = parameters.text(asked, "q"), parameters.option(asked, "show", SHOWN)
        return super().get_context_data(
            customer=customer,
            tab="access",
            lens=look(customer, q=q, shown=shown, page=parameters.page(asked)),
            q=q,
            shown=shown,
            choices=SHOWN.items(),
            **kwargs,
        )
