"""From a request to its actor: where it comes from, which organization, which member. All else is 404 or the sign-in page."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import cache

import structlog
from allauth.core.internal.httpkit import clean_client_ip
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.handlers.exception import response_for_exception
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from accounts.middleware import keep_session_limits
from accounts.models import Organization
from accounts.pages import signed_in_user
from accounts.pagination import CappedCount
from accounts.views import CONTINUE_AT
from audit.services import Origin, set_origin
from customers.models import AccessRequest, Document, ImpostorReport, TemporaryAccess
from lendconsole.navigation import COUNTED_IN_FULL
from lendconsole.tenancy import context_of_found
from notifications.letters import hidden_apps
from notifications.models import OutgoingEmail
from teams.models import Member

GetResponse = Callable[[HttpRequest], HttpResponseBase]
ORGANIZATION_PATH = re.compile(r"^/o/(?P<slug>[a-z0-9-]+)/")
SEEN_EVERY = timedelta(minutes=5)


class RequestOriginMiddleware:
    """Names the request (for the logs) and the address it comes from (for the audit log), trusting only our own proxies."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = uuid.uuid4().hex
        set_origin(Origin(ip_address=client_address(request), request_id=request_id))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


def client_address(request: HttpRequest) -> str | None:
    """The caller's address: the last one that a trusted proxy wrote down; what the caller claims is ignored.

    None where that is no address. The port that some proxies write behind it is taken off, and the zone of a local one,
    which PostgreSQL does not know.
    """
    if settings.TRUSTED_PROXY_COUNT:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        if len(forwarded) >= settings.TRUSTED_PROXY_COUNT:
            address = clean_client_ip(forwarded[-settings.TRUSTED_PROXY_COUNT])
            return address.partition("%")[0] if address else None
    return request.META.get("REMOTE_ADDR") or None


class PrivacyHeadersMiddleware:
    """Nothing of a signed-in page stays in a cache, and no feature of the browser is lent out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class MemberMiddleware:
    """Sets `request.member` on every address below /o/<organization>/ and runs the request as one transaction inside it.

    A stranger, a former member and an unknown organization get the same 404; somebody who is not signed in gets the
    sign-in page for all of them alike.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.member = None  # type: ignore[attr-defined]  # our addition to Django's class
        match = ORGANIZATION_PATH.match(request.path_info)
        if match is None:
            return self.get_response(request)
        if not request.user.is_authenticated:
            return redirect_to_login(page_to_return_to(request, match["slug"]))
        organizations = Organization.objects.active().filter(slug=match["slug"])
        with context_of_found(organizations, user_id=request.user.pk) as organization:
            member = find_member(request, organization) if organization else None
            if member is None:
                return self._not_found(request)
            with timezone.override(organization.time_zone):
                response = self._answer(request, member)
            if response.status_code >= 500:
                transaction.set_rollback(True)  # Django has already turned the exception into a response
        return response

    def _answer(self, request: HttpRequest, member: Member) -> HttpResponseBase:
        organization = member.organization
        request.member = member  # type: ignore[attr-defined]  # as above
        if not keep_session_limits(request, organization):
            return redirect_to_login(page_to_return_to(request, organization.slug))
        if organization.second_factor_is_due and not member.has_second_factor:  # type: ignore[attr-defined]  # annotated
            messages.info(request, f"{organization} asks for a second factor. Set one up to go on.")
            request.session[CONTINUE_AT] = page_to_return_to(request, organization.slug)
            return redirect("mfa_activate_totp")
        request.session.pop(CONTINUE_AT, None)
        response = self.get_response(request)
        if response.status_code < 500 and not connection.needs_rollback:
            note_seen(member)
        return response

    @staticmethod
    def _not_found(request: HttpRequest) -> HttpResponseBase:
        return response_for_exception(request, Http404())


def note_seen(member: Member) -> None:
    """At most every few minutes, and not while somebody else is changing the member: it is not worth waiting for."""
    now = timezone.now()
    if member.last_seen_at is not None and now - member.last_seen_at < SEEN_EVERY:
        return
    free = Member.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=member.pk)
    Member.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(last_seen_at=now)


def page_to_return_to(request: HttpRequest, slug: str) -> str:
    """Where to go on after a detour: the same page, or the organization's first one if this was not a page to open."""
    is_page = request.method in ("GET", "HEAD") and "HX-Request" not in request.headers
    return request.get_full_path() if is_page else f"/o/{slug}/"


def find_member(request: HttpRequest, organization: Organization) -> Member | None:
    """The signed-in user's active membership, in one statement."""
    user = signed_in_user(request)
    member = _members().filter(organization=organization, user=user).first()
    if member is not None:
        member.organization, member.user = organization, user
        member.read_held()
        if hidden_apps(member):  # the page lists fewer than are counted
            member.failed_email_count = 0  # type: ignore[attr-defined]  # annotated
    return member


@cache
def _members() -> QuerySet[Member]:
    """Active memberships with what every page needs, put together once for the process: it takes Python longer than the
    database."""
    others = Member.objects.filter(user=OuterRef("user"), status=Member.Status.ACTIVE).exclude(pk=OuterRef("pk"))
    second_factors = Authenticator.objects.filter(user=OuterRef("user")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    failed = OutgoingEmail.objects.failed().filter(organization=OuterRef("organization"))
    requests = AccessRequest.objects.open().filter(organization=OuterRef("organization"))
    unreviewed = TemporaryAccess.objects.unreviewed().filter(organization=OuterRef("organization"))
    documents = Document.objects.waiting().filter(organization=OuterRef("organization"))
    reports = ImpostorReport.objects.filter(organization=OuterRef("organization"), closed_at=None)
    members: QuerySet[Member] = (
        Member.objects.active()
        .with_held()
        .with_offices_below()
        .annotate(
            has_other_memberships=Exists(others),
            has_second_factor=Exists(second_factors),
            some_request_waits=Exists(requests),
            some_emergency_waits=Exists(unreviewed),
            some_document_waits=Exists(documents),
            failed_email_count=CappedCount(failed, COUNTED_IN_FULL),
            impostor_report_count=CappedCount(reports, COUNTED_IN_FULL),
        )
    )
    return members
