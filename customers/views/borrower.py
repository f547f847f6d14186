"""The borrower's page, outside the console: ask for a link, open it, see who the account manager is.

The session carries which customer is signed in under a key of its own. It is never a login: to every page of the
console a borrower is a stranger.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.response import HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.generic import FormView, TemplateView, View

from accounts.models import Organization
from audit.services import current_origin
from customers.models import Customer
from customers.services.borrowers import LinkUnusable, check_link, present_manager, request_link, use_link
from lendconsole.forms import PlainSentences
from lendconsole.tenancy import organization_context

SESSION_KEY: Final = "borrower"
SESSION_LENGTH: Final = timedelta(minutes=30)
REQUESTS_PER_HOUR: Final = 60
"""From one address of the network; many borrowers of a mobile network share one."""


@method_decorator(login_not_required, name="dispatch")
class BorrowerMixin(View):
    """Runs inside the lender that the address names, in its time zone."""

    organization: Organization

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        organization = Organization.objects.active().filter(slug=kwargs["organization"]).first()
        if organization is None:
            raise Http404
        self.organization = organization
        with organization_context(organization.pk), timezone.override(ZoneInfo(organization.time_zone)):
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, TemplateResponse):
                response.render()
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"organization": self.organization, **kwargs}

    def url(self, name: str) -> str:
        return reverse(f"customers_public:{name}", args=[self.organization.slug])

    def signed_in_customer(self) -> Customer | None:
        """The borrower of this session, while it lasts and only at the lender it was opened for."""
        session = self.request.session.get(SESSION_KEY)
        if not isinstance(session, Mapping) or session.get("organization") != self.organization.pk:
            return None
        if session["expires"] <= timezone.now().timestamp():
            return None
        customers = Customer.objects.for_organization(self.organization)
        customer: Customer | None = customers.filter(pk=session["customer"]).select_related("organization").first()
        return customer


class BorrowerSignInForm(PlainSentences, forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": "Fill in your e-mail address."},
    )


class BorrowerSignInView(BorrowerMixin, FormView):
    """Always the same answer, so that nobody learns here who borrows from whom."""

    form_class = BorrowerSignInForm
    template_name = "customers/borrower_sign_in.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.signed_in_customer() is not None:
            return HttpResponseRedirect(self.url("borrower_page"))
        if "sent" in request.GET:
            return self.render_to_response({"organization": self.organization, "sent": True})
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if _asks_too_often(self.organization):
            return render(request, "429.html", status=429)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: BorrowerSignInForm) -> HttpResponse:
        request_link(organization=self.organization, email=form.cleaned_data["email"])
        return HttpResponseRedirect(f"{self.url('borrower_sign_in')}?sent")

    def form_invalid(self, form: BorrowerSignInForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(form=kwargs.get("form") or self.get_form())


class BorrowerLinkView(BorrowerMixin):
    """Opening a link changes nothing, since mail scanners do it; its button signs in and leaves the address behind."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> HttpResponse:
        try:
            check_link(organization=self.organization, token=token)
        except LinkUnusable as problem:
            return self._unusable(problem)
        return TemplateResponse(request, "customers/borrower_link.html", self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> HttpResponse:
        try:
            customer = use_link(organization=self.organization, token=token)
        except LinkUnusable as problem:
            if self.signed_in_customer() is not None:  # the button was pressed twice
                return HttpResponseRedirect(self.url("borrower_page"))
            return self._unusable(problem)
        request.session.cycle_key()
        request.session[SESSION_KEY] = {
            "customer": customer.pk,
            "organization": self.organization.pk,
            "expires": (timezone.now() + SESSION_LENGTH).timestamp(),
        }
        return HttpResponseRedirect(self.url("borrower_page"))

    def _unusable(self, problem: LinkUnusable) -> HttpResponse:
        context = self.get_context_data(problem=str(problem))
        return TemplateResponse(self.request, "customers/borrower_link.html", context, status=410)


class BorrowerPageView(BorrowerMixin, TemplateView):
    """Read anew on each request: whoever is the account manager now."""

    template_name = "customers/borrower_page.html"
    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        customer = self.signed_in_customer()
        if customer is None:
            return HttpResponseRedirect(self.url("borrower_sign_in"))
        return self.render_to_response(self.get_context_data(customer=customer, present=present_manager(customer)))


class BorrowerSignOutView(BorrowerMixin):
    """Ends the borrower's page alone: a member of staff who looked at it in the same browser stays signed in."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.session.pop(SESSION_KEY, None)
        return HttpResponseRedirect(self.url("borrower_sign_in"))


def _asks_too_often(organization: Organization) -> bool:
    """Counted in the cache: while that is away nobody is refused, and the limit for each customer still holds."""
    key = f"organization:{organization.pk}:borrower_link:{_network(current_origin().ip_address)}"
    cache.add(key, 0, timeout=3600)
    try:
        return bool((cache.incr(key) or 0) > REQUESTS_PER_HOUR)
    except ValueError:
        return False


def _network(address: str | None) -> str:
    """One household has a whole /64 of the newer addresses."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)
