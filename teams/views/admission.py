"""The page behind an invitation's link. Opening it changes nothing; accepting is a POST.

The link puts what it carries into the session and goes on to a clean address, so that the token stays out of the
history, of logs behind the page and of referrers.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final
from zoneinfo import ZoneInfo

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from accounts.models import Organization
from accounts.services import sign_in
from lendconsole.tenancy import organization_context
from teams import services
from teams.forms import NewPersonForm
from teams.invitation_links import Ticket, read_token
from teams.models import Invitation, Member
from teams.services.admission import InvitationNotAcceptable, Newcomer, Standing, find_invitation, standing_of

SESSION_KEY: Final = "invitations"
BAD_LINKS_PER_HOUR: Final = 30
REQUESTS_PER_HOUR: Final = 20
STATUS: Final = {Standing.BROKEN: 404}


@method_decorator(login_not_required, name="dispatch")
class InvitationLinkView(View):
    """GET only: mail scanners follow links too."""

    def get(self, request: HttpRequest, organization: str, token: str) -> HttpResponse:
        ticket = read_token(token)
        if ticket is None and too_many_bad_links(request):
            return render(request, "429.html", status=429)
        kept = dict(request.session.get(SESSION_KEY, {}))
        kept.pop(organization, None)
        if ticket is not None:
            kept[organization] = [ticket.invitation_id, ticket.nonce]
        request.session[SESSION_KEY] = kept
        return redirect("teams_public:invitation", organization=organization)


def too_many_bad_links(request: HttpRequest) -> bool:
    """Nobody can guess a link; this only keeps those who try from wearing out the server."""
    return too_many(request, "bad-links", BAD_LINKS_PER_HOUR)


def too_many(request: HttpRequest, what: str, most: int) -> bool:
    """Counts one more from this address; whether there were more than `most` in an hour."""
    key = f"teams:{what}:{get_adapter().get_client_ip(request)}"
    cache.add(key, 0, timeout=3600)
    try:
        return cache.incr(key) > most
    except ValueError:  # Valkey is away or has just forgotten the key
        return False


@method_decorator(login_not_required, name="dispatch")
@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class InvitationView(View):
    """Shows what the link means right now, and accepts. Every standing has words of its own in templates/teams/invitation/."""

    invitation: Invitation | None = None
    ticket: Ticket | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        organization = Organization.objects.active().filter(slug=kwargs["organization"]).first()
        if organization is None:
            return self._show(Standing.BROKEN)
        with organization_context(organization.pk), timezone.override(ZoneInfo(organization.time_zone)):
            self.ticket = kept_ticket(request, organization.slug)
            self.invitation = find_invitation(self.ticket)
            return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, organization: str) -> HttpResponse:
        return self._show(self._standing())

    def post(self, request: HttpRequest, organization: str) -> HttpResponse:
        standing = self._standing()
        if self.ticket is None or self.invitation is None or not standing.can_accept:
            return self._go_on(standing)
        newcomer = None
        if standing == Standing.NEW_PERSON:
            form = NewPersonForm(request.POST, invitation=self.invitation)
            if not form.is_valid():
                return self._show(standing, form=form)
            facts = form.cleaned_data
            newcomer = Newcomer(facts["first_name"], facts["last_name"], facts["password1"])
        try:
            member = services.accept_invitation(ticket=self.ticket, user=request.user, newcomer=newcomer)
        except InvitationNotAcceptable as error:
            self.invitation = find_invitation(self.ticket)
            return self._go_on(error.standing)
        return self._welcome(member, is_new=newcomer is not None)

    def _standing(self) -> Standing:
        return standing_of(self.invitation, self.ticket, self.request.user)

    def _welcome(self, member: Member, *, is_new: bool) -> HttpResponse:
        forget_ticket(self.request, member.organization.slug)
        text = f"Welcome to {member.organization.name}. You are {member.role.name} in {member.office.name}."
        url = member.url("dashboard")
        response = sign_in(self.request, member.user, next_url=url) if is_new else redirect(url)
        messages.success(self.request, text)
        return response

    def _go_on(self, standing: Standing) -> HttpResponse:
        """A button that was pressed twice leads to where the first press went; anything else is explained."""
        member = self.invitation.accepted_by if self.invitation and standing == Standing.USED else None
        if member is not None and member.user_id == self.request.user.pk:
            return redirect(member.url("dashboard"))
        return self._show(standing)

    def _show(self, standing: Standing, form: forms.Form | None = None) -> HttpResponse:
        if standing == Standing.NEW_PERSON and form is None and self.invitation is not None:
            form = NewPersonForm(invitation=self.invitation)
        context = {
            "standing": standing,
            "invitation": self.invitation,
            "organization": self.invitation.organization if self.invitation else None,
            "inviter": self.invitation.invited_by if self.invitation else None,
            "form": form,
            "part": f"teams/invitation/{standing.value}.html",
        }
        status = 422 if form is not None and form.is_bound else STATUS.get(standing, 410 if standing.is_over else 200)
        return render(self.request, "teams/invitation.html", context, status=status)


@method_decorator(login_not_required, name="dispatch")
class InvitationAskView(View):
    """The holder of an expired link asks for a new one. What comes of it shows on the invitation's page."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organization: str) -> HttpResponse:
        if too_many(request, "asked", REQUESTS_PER_HOUR):
            return render(request, "429.html", status=429)
        ticket = kept_ticket(request, organization)
        lender = Organization.objects.active().filter(slug=organization).first()
        if lender is not None and ticket is not None:
            with organization_context(lender.pk), contextlib.suppress(InvitationNotAcceptable):
                services.ask_for_invitation(ticket=ticket)
        return redirect("teams_public:invitation", organization=organization)


@method_decorator(login_not_required, name="dispatch")
class InvitationSignOutView(View):
    """For somebody signed in with another address: sign out and go on, with the invitation still at hand."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, organization: str) -> HttpResponse:
        kept = request.session.get(SESSION_KEY)
        logout(request)
        if kept is not None:
            request.session[SESSION_KEY] = kept
        return redirect("teams_public:invitation", organization=organization)


def kept_ticket(request: HttpRequest, slug: str) -> Ticket | None:
    kept = request.session.get(SESSION_KEY, {}).get(slug)
    return Ticket(*kept) if kept else None


def forget_ticket(request: HttpRequest, slug: str) -> None:
    kept = dict(request.session.get(SESSION_KEY, {}))
    kept.pop(slug, None)
    request.session[SESSION_KEY] = kept
