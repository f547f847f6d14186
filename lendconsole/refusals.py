"""What a member sees but may not do: a page that says which permission is missing, and a line in the audit log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.defaults import permission_denied as plain_refusal

from audit.services import record
from audit.verbs import Verb


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403. Refusals outside of an organization (CSRF has its own handler) are shown and not audited."""
    member = getattr(request, "member", None)
    if member is not None:
        record(
            actor=member,
            verb=Verb.ACCESS_REFUSED,
            target=member.organization,
            after={"method": request.method, "path": request.path[:300]},
            reason=str(exception)[:500],
        )
    return plain_refusal(request, exception)
