"""Writing to the log, in the transaction of the thing it tells."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Protocol

from django.db import models

from audit.models import AuditEvent
from audit.verbs import Verb


class Actor(Protocol):
    """Who acts: a teams.Member. Typed by shape, because this app lies below teams."""

    pk: Any

    @property
    def label(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the present request came from. Empty in tasks and commands."""

    ip_address: str | None = None
    request_id: str = ""


SYSTEM_LABEL: Final = "System"
_NOWHERE: Final = Origin()
_origin: ContextVar[Origin] = ContextVar("audit_origin", default=_NOWHERE)


def set_origin(origin: Origin) -> None:
    """Called once at the start of each request, by middleware."""
    _origin.set(origin)


def current_origin() -> Origin:
    return _origin.get()


def label_of(target: models.Model) -> str:
    """What a line calls the record. A model whose text names a person has an `audit_label` that does not: lines are for ever."""
    return getattr(target, "audit_label", "") or str(target)


def event(
    *,
    actor: Actor | None,
    verb: Verb,
    target: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """The unsaved row, for those who insert many at once. The organization is the current one unless the target names it."""
    origin = _origin.get()
    return AuditEvent(
        organization_id=getattr(target, "organization_id", None) or target.pk,
        verb=verb,
        actor_id=actor.pk if actor else None,
        actor_label=actor.label if actor else SYSTEM_LABEL,
        target_type=target._meta.label_lower,
        target_id=target.pk,
        target_label=label_of(target)[:300],
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        ip_address=origin.ip_address,
        request_id=origin.request_id,
    )


def record(
    *,
    actor: Actor | None,
    verb: Verb,
    target: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Add one line. `before` and `after` hold the changed fields only, as JSON values, and never a secret."""
    row = event(actor=actor, verb=verb, target=target, before=before, after=after, reason=reason)
    row.save(force_insert=True)
    return row
