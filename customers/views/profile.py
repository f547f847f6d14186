"""One customer: the profile or the card, what happened to it, and the BVN."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.pages import ConsoleMixin, ConsolePage
from accounts.pagination import paginate
from customers.activity import Entry
from customers.errors import NothingToReveal
from customers.models import Customer, TemporaryAccess
from customers.papers import related_people_by_kind
from customers.policy import find_customer, require
from customers.querysets import FULL
from customers.readers import events, periods, waiting_request
from customers.services.records import open_profile, reveal_bvn
from customers.views.pages import neighbors
from teams.capabilities import Capability

EVENTS_A_PAGE: Final = 30


class CustomerProfileView(ConsolePage):
    """In full, or as the card for those who may only find the customer."""

    customer: Customer

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.customer = open_profile(actor=self.member, pk=kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def get_template_names(self) -> list[str]:
        return [f"customers/customer_{'profile' if self.customer.access == FULL else 'card'}.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sees_card = self.customer.access != FULL
        waiting = waiting_request(self.member, self.customer) if sees_card else None
        people = {} if sees_card else related_people_by_kind(self.customer)
        return super().get_context_data(
            customer=self.customer,
            tab="general",
            waiting_request=waiting,
            temporary_access=None if sees_card else self._temporary_access(),
            people=people,
            **kwargs,
        )

    def _temporary_access(self) -> TemporaryAccess | None:
        """What opens the customer for a time; never to those who keep or oversee it anyhow."""
        if self.customer.account_manager_id == self.member.pk or self.member.may(Capability.CUSTOMERS_OVERSEE):
            return None
        running = TemporaryAccess.objects.running().filter(customer=self.customer, member=self.member)
        found: TemporaryAccess | None = running.order_by("ends_at").last()
        return found


class CustomerActivityView(ConsolePage):
    """What the audit log says about the customer, newest first, and who has held it."""

    template_name = "customers/customer_activity.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        customer = open_profile(actor=self.member, pk=kwargs["pk"])
        if customer.access != FULL:
            require(self.member, Capability.CUSTOMERS_VIEW, customer)
        page = paginate(events(customer), order=("-at", "-id"), size=EVENTS_A_PAGE, **self.cursors)
        return super().get_context_data(
            customer=customer,
            tab="activity",
            **neighbors(self.request, page),
            entries=[Entry(event, customer) for event in page.rows],
            periods=periods(customer),
            **kwargs,
        )


class CustomerBvnRevealView(ConsoleMixin):
    """Shows the number once, in the answer to a POST: it stands on no page that can be opened again."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        customer = find_customer(self.member, pk)
        try:
            number = reveal_bvn(actor=self.member, customer=customer)
        except NothingToReveal as missing:
            messages.error(request, str(missing))
            return self.redirect_to(self.member.url("customers:customer_profile", pk))
        part = "_bvn" if request.htmx else "customer_bvn"  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return render(request, f"customers/{part}.html", {"customer": customer, "number": number})
