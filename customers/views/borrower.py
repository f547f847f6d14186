"""The borrower's page, outside the console: ask for a link and a code, use one, see who the account manager is.

The session carries which customer is signed in under a key of its own. It is never a login: to every page of the
console a borrower is a stranger.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

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
from customers.codes import browser_mark
from customers.forms.borrower import BorrowerSignInForm, SignInCodeForm
from customers.models import Customer
from customers.services.borrowers import (
    CODE_LASTS,
    LinkUnusable,
    check_link,
    history,
    present_manager,
    request_link,
    use_code,
    use_link,
)
from lendconsole.tenancy import organization_context

SESSION_KEY: Final = "borrower"
ASKED_KEY: Final = "borrower_asked"
SESSION_LENGTH: Final = timedelta(minutes=30)
REQUESTS_PER_HOUR: Final = 60
CODES_PER_HOUR: Final = 60
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

    def asks_too_often(self, what: str, most: int) -> bool:
        """Counts one more from this address of the network, within an hour. While the cache is away nobody is refused."""
        key = f"organization:{self.organization.pk}:{what}:{_network(current_origin().ip_address)}"
        cache.add(key, 0, timeout=3600)
        try:
            return bool((cache.incr(key) or 0) > most)
        except ValueError:
            return False

    def too_often(self) -> HttpResponse:
        return render(self.request, "429.html", status=429)

    def sign_in(self, customer: Customer) -> HttpResponse:
        session = self.request.session
        session.cycle_key()
        session.pop(ASKED_KEY, None)
        session[SESSION_KEY] = {
            "customer": customer.pk,
            "organization": self.organization.pk,
            "expires": (timezone.now() + SESSION_LENGTH).timestamp(),
        }
        return HttpResponseRedirect(self.url("borrower_page"))

    def signed_in_customer(self) -> Customer | None:
        """The borrower of this session, while it lasts and only at the lender it was opened for."""
        session = self.request.session.get(SESSION_KEY)
        if not isinstance(session, Mapping) or session.get("organization") != self.organization.pk:
            return None
        if session["expires"] <= timezone.now().timestamp():
            return None
        customers = Customer.objects.for_organization(self.organization)
        customer: Customer | None = (
            customers.filter(pk=session["customer"], erased_at=None).select_related("organization").first()
        )
        return customer


class PublicForm(BorrowerMixin, FormView):
    """One form of somebody who has no login. `most` tries an hour from one address of the network, counted as `what`."""

    http_method_names = ["get", "head", "post", "options"]
    what: str
    most: int

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.asks_too_often(self.what, self.most):
            return self.too_often()
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "form": kwargs.get("form") or self.get_form()})


class BorrowerSignInView(PublicForm):
    """Always the same answer, so that nobody learns here who borrows from whom."""

    form_class = BorrowerSignInForm
    template_name = "customers/borrower_sign_in.html"
    what, most = "borrower_link", REQUESTS_PER_HOUR

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.signed_in_customer() is not None:
            return HttpResponseRedirect(self.url("borrower_page"))
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: BorrowerSignInForm) -> HttpResponse:
        email, asked = form.cleaned_data["email"], self.request.session.get(ASKED_KEY) or {}
        nonce = asked.get("nonce") or secrets.token_urlsafe(24)
        mark = browser_mark(nonce, email)
        self.request.session[ASKED_KEY] = {"nonce": nonce, "mark": mark, "organization": self.organization.pk}
        request_link(organization=self.organization, email=email, browser=mark)
        return HttpResponseRedirect(self.url("borrower_code"))


class BorrowerCodeView(PublicForm):
    """Says where to look for the e-mail and takes its code, in the browser that asked for it. One answer to whatever is wrong."""

    form_class = SignInCodeForm
    template_name = "customers/borrower_code.html"
    what, most = "borrower_code", CODES_PER_HOUR

    @property
    def asked(self) -> str:
        """The mark of what was asked for here, at this lender."""
        asked = self.request.session.get(ASKED_KEY) or {}
        return str(asked.get("mark", "")) if asked.get("organization") == self.organization.pk else ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.asked:
            return HttpResponseRedirect(self.url("borrower_sign_in"))
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: SignInCodeForm) -> HttpResponse:
        customer = use_code(organization=self.organization, browser=self.asked, code=form.cleaned_data["code"])
        if customer is None and self.signed_in_customer() is not None:  # the button was pressed twice
            return HttpResponseRedirect(self.url("borrower_page"))
        if customer is None:
            form.add_error("code", "This code is wrong or no longer works. Look again, or ask for a new one.")
            return self.form_invalid(form)
        return self.sign_in(customer)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(minutes=CODE_LASTS.seconds // 60, **kwargs)


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
        return self.sign_in(customer)

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
        return self.render_to_response(
            self.get_context_data(customer=customer, present=present_manager(customer), changes=history(customer))
        )


class BorrowerSignOutView(BorrowerMixin):
    """Ends the borrower's page alone: a member of staff who looked at it in the same browser stays signed in."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.session.pop(SESSION_KEY, None)
        return HttpResponseRedirect(self.url("borrower_sign_in"))


def _network(address: str | None) -> str:
    """One household has a whole /64 of the newer addresses."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)
