"""The security policy: who needs a second factor from when, and how long sessions last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import StaleVersion
from teams.capabilities import Capability
from teams.errors import PolicyRefused
from teams.models import Member
from teams.services.guards import lock_team

IDLE_MINUTES: Final = (5, 10, 15, 20, 30)
SESSION_HOURS: Final = (1, 2, 4, 8, 12)
LONGEST_GRACE: Final = 60


@transaction.atomic
def change_security_policy(
    *,
    actor: Member,
    requires_second_factor: bool,
    grace_days: int | None,
    session_idle_minutes: int,
    session_hours: int,
    version: int,
) -> Organization:
    """In force on the next request of every member. The same policy again changes nothing.

    `grace_days` counts from now; None leaves the date as it is, and where there is none a second factor is due at once.
    Raises PermissionMissing, PolicyRefused or StaleVersion.
    """
    actor = lock_team(actor)
    actor.require(Capability.ORGANIZATION_SECURITY)
    organization = actor.organization
    policy = {
        "requires_second_factor": requires_second_factor,
        "second_factor_due_at": _due_at(organization, grace_days) if requires_second_factor else None,
        "session_idle_minutes": session_idle_minutes,
        "session_hours": session_hours,
    }
    before = {name: getattr(organization, name) for name in policy}
    changed = [name for name in policy if policy[name] != before[name]]
    if not changed:
        return organization
    if version != organization.version:
        raise StaleVersion(
            "Somebody changed the settings while you had this open. Open the page again to go on from there."
        )
    for name, choices in (("session_idle_minutes", IDLE_MINUTES), ("session_hours", SESSION_HOURS)):
        if policy[name] not in choices:
            raise PolicyRefused("This time is not available. Choose another one.", field=name)
    for name in changed:
        setattr(organization, name, policy[name])
    organization.version += 1
    organization.save(update_fields=[*changed, "version"])
    record(
        actor=actor,
        verb=Verb.SECURITY_CHANGED,
        target=organization,
        before={name: _written(before[name]) for name in changed},
        after={name: _written(policy[name]) for name in changed},
    )
    return organization


def _due_at(organization: Organization, grace_days: int | None) -> datetime | None:
    if grace_days is None:
        return organization.second_factor_due_at if organization.requires_second_factor else None
    if not 0 <= grace_days <= LONGEST_GRACE:
        raise PolicyRefused(f"From 0 to {LONGEST_GRACE} days.", field="grace_days")
    return timezone.now() + timedelta(days=grace_days) if grace_days else None


def _written(value: Any) -> Any:
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else value
