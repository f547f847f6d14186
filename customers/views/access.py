"""Who sees one customer, and why."""

from __future__ import annotations

from typing import Any

from accounts.pages import ConsolePage
from accounts.parameters import page_number
from customers.filters import LONGEST_SEARCH
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
        q = asked.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH]
        shown = asked.get("show", "") if asked.get("show", "") in SHOWN else ""
        return super().get_context_data(
            customer=customer,
            tab="access",
            lens=look(customer, q=q, shown=shown, page=page_number(asked)),
            q=q,
            shown=shown,
            choices=SHOWN.items(),
            **kwargs,
        )
