"""What the tests of teams share: acting inside a lender, and proving that a refusal changed nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organization, User
from audit.models import AuditEvent
from lendconsole.errors import DomainError
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.models import Invitation, Member, Office, Role, RolePermission
from tests import factories
from tests.world import Lender

WATCHED = (Organization, User, Office, Role, RolePermission, Member, Invitation, AuditEvent, OutgoingEmail)


@contextmanager
def inside(lender: Lender) -> Iterator[None]:
    with organization_context(lender.organization.pk):
        yield


def rows() -> dict[str, list[dict[str, Any]]]:
    """Everything that teams write, without the traces that signing in and looking at a page leave."""
    found = {model.__name__: list(model._default_manager.order_by("pk").values()) for model in WATCHED}
    for row in (*found["User"], *found["Member"]):
        row.pop("last_login", None)
        row.pop("last_seen_at", None)
    return found


def at_once(lender: Lender, *calls: Callable[[], object]) -> list[str]:
    """Run the calls at once, each in a transaction of its own; the outcome of each, in their order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        try:
            barrier.wait(timeout=30)
            with organization_context(lender.organization.pk):
                call()
            return "done"
        except DomainError as error:
            return getattr(error, "standing", type(error).__name__)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def together(lender: Lender, *calls: Callable[[], object]) -> Counter[str]:
    """The same; how often each outcome came."""
    return Counter(at_once(lender, *calls))


@contextmanager
def refused(error: type[DomainError], match: str | None = None) -> Iterator[pytest.ExceptionInfo[DomainError]]:
    """The rule is named, and nothing was changed, mailed or audited."""
    before = rows()
    with pytest.raises(error, match=match) as caught:
        yield caught
    assert rows() == before


def verbs() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))


def mails(kind: str) -> list[OutgoingEmail]:
    return list(OutgoingEmail.objects.filter(kind=kind).order_by("pk"))


def invitation_for(
    lender: Lender, *, role: str | Role = "account_manager", by: str = "admin", **facts: Any
) -> Invitation:
    row: Invitation = factories.InvitationFactory(
        **{
            "organization": lender.organization,
            "role": lender.roles[role] if isinstance(role, str) else role,
            "office": lender.branch,
            "invited_by": lender[by] if by else None,
            **facts,
        }
    )
    return row


def extra_member(lender: Lender, role: str, /, **facts: Any) -> Member:
    row: Member = factories.MemberFactory(
        **{"organization": lender.organization, "role": lender.roles.get(role), "office": lender.branch, **facts}
    )
    return row


def fresh(row: Any) -> Any:
    return type(row)._default_manager.get(pk=row.pk)
