"""What the pages with a form about one customer have in common."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest

from accounts import parameters
from accounts.pages import FormPage
from accounts.pagination import Page
from customers.forms.fields import MANAGERS
from customers.models import Customer
from customers.policy import find_customer, may, require
from teams.capabilities import Capability

LONGEST_URL: Final = 300  # what accounts.Submission remembers


class RefreshablePage(FormPage):
    """A form in which one choice changes what another field offers.

    The button posts, because what people type about customers must not stand in addresses. htmx asks for the list of
    members alone.
    """

    preview_button = "refresh"
    managers_field: str
    managers_optional = False

    def get_template_names(self) -> list[str]:
        htmx = self.request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return ["customers/_managers.html"] if htmx and htmx.target == MANAGERS else super().get_template_names()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        field = form[self.managers_field] if self.managers_field in form.fields else None
        return {**context, "managers_field": field, "managers_optional": self.managers_optional}

    def get_initial(self) -> dict[str, Any]:
        """Links and htmx choose the office in the address."""
        office = parameters.key(self.request.GET, "office")
        return {**super().get_initial(), **({} if office is None else {"office": office})}


class CustomerPage(FormPage):
    """A form about the customer of the address. `needed` is the capability over this customer.

    The page asks for no capability of its own: for whom the customer does not exist, the page does not either (404).
    """

    needed: Capability
    customer: Customer

    def find(self) -> None:
        self.customer = find_customer(self.member, self.kwargs["pk"])
        require(self.member, self.needed, self.customer)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(customer=self.customer, **kwargs)

    def next_url(self) -> str:
        """Back to the page behind the dialog, with its filters; else to the profile, unless this act closed it to the member."""
        if not may(self.member, Capability.CUSTOMERS_FIND, self.customer):
            return self.member.url("customers:customer_list")
        behind = page_behind(self.request)
        if behind.startswith(self.member.url("customers:customer_list")):
            return behind
        return self.member.url("customers:customer_profile", self.customer.pk)


class FullCustomerPage(CustomerPage):
    """A form about a customer whom the member sees in full; whoever sees the card alone is refused (403)."""

    def find(self) -> None:
        super().find()
        require(self.member, Capability.CUSTOMERS_VIEW, self.customer)


def page_behind(request: HttpRequest) -> str:
    """The address of the page that the dialog lies over, where there is one to go back to."""
    address = getattr(request.htmx, "current_url_abs_path", None)  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return str(address) if address and len(address) <= LONGEST_URL else ""


def neighbors(request: HttpRequest, page: Page, number: int | None = None) -> dict[str, str]:
    """The addresses of the pages before and after, with all filters; `number` counts the pages on the way."""
    return {
        "newer_url": _page_url(request, "before", page.before, number and number - 1),
        "older_url": _page_url(request, "after", page.after, number and number + 1),
    }


def _page_url(request: HttpRequest, name: str, cursor: str, number: int | None) -> str:
    if not cursor:
        return ""
    parameters = request.GET.copy()
    for other in ("after", "before", "page", "panel"):
        parameters.pop(other, None)
    parameters[name] = cursor
    if number:
        parameters["page"] = str(number)
    return f"{request.path}?{parameters.urlencode()}"
