"""Pages of the whole console rather than of one app, and what is shown instead of a page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from accounts.pages import signed_in_user
from lendconsole.organizations import is_open, memberships_of


@login_not_required
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 while the database answers; Valkey may be away, the console works without it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the one organization, or to the choice between several. Somebody who is not signed in goes to do that."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    open_ones = [membership for membership in memberships_of(request.user) if is_open(membership)]
    if len(open_ones) == 1:
        return redirect(f"/o/{open_ones[0].organization.slug}/")
    return redirect("accounts:organizations")


class OrganizationListView(TemplateView):
    """The chooser; for somebody with no open organization, what became of the ones they know."""

    template_name = "accounts/organizations.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        memberships = memberships_of(signed_in_user(self.request))
        return {
            **super().get_context_data(**kwargs),
            "memberships": [membership for membership in memberships if is_open(membership)],
            "closed": [membership for membership in memberships if not is_open(membership)],
        }
