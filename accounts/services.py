"""What can be done with a login. Signing in and its security are allauth's, see views.py."""

from __future__ import annotations

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import EmailAddress, Login
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.models import Organization, OrganizationLogo, User
from lendconsole.tenancy import organization_context


@transaction.atomic
def create_login(*, email: str, first_name: str, last_name: str, password: str) -> User:
    """A login whose address is proven (its owner followed a link that was sent there)."""
    user = User.objects.create_user(email, password, first_name=first_name, last_name=last_name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def rename_login(*, user: User, first_name: str, last_name: str) -> User:
    user.first_name, user.last_name = first_name, last_name
    user.save(update_fields=["first_name", "last_name"])
    return user


def end_all_sessions(*, user: User) -> None:
    """Sign the login out everywhere, in force on the next request of each browser."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def sign_in(request: HttpRequest, user: User, *, next_url: str) -> HttpResponse:
    """Sign in somebody who has just proven who they are (a new login, by its invitation), with everything that a
    sign-in brings: a new session id, an entry in the list of sessions. Answers with the way to `next_url`."""
    record_authentication(request, user, method="invitation")
    response: HttpResponse = perform_login(request, Login(user=user, email=user.email, redirect_url=next_url))
    return response


def find_logo(*, slug: str, digest: str) -> bytes | None:
    """The picture that the organization shows at present, if this is its digest. Called outside of any organization."""
    organization = Organization.objects.active().filter(slug=slug, logo_digest=digest).first()
    if organization is None:
        return None
    with organization_context(organization.pk):
        logo = OrganizationLogo.objects.filter(organization=organization).first()
        return bytes(logo.content) if logo else None
