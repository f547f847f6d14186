"""Changing and deleting roles, with what that does to people counted first and kept in the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from customers.role_effects import role_effects
from teams import services
from teams.capabilities import Capability, Reach
from teams.models import Member, Role
from teams.policy import find_role, require_editable, require_givable
from teams.services.guards import lock_team


@transaction.atomic
def change_role(
    *, actor: Member, role: Role, name: str, description: str, reaches: Mapping[Capability, Reach], version: int
) -> Role:
    """Raises what teams.services.change_role_permissions raises."""
    actor = lock_team(actor)
    present = find_role(actor, role.pk)
    require_editable(actor, present)
    return services.change_role_permissions(
        actor=actor,
        role=present,
        name=name,
        description=description,
        reaches=reaches,
        version=version,
        effect=role_effects(present, reaches).text if version == present.version else "",
    )


@transaction.atomic
def delete_role(*, actor: Member, role: Role, replacement: Role | None = None) -> None:
    """Raises what teams.services.delete_role raises."""
    actor = lock_team(actor)
    present = find_role(actor, role.pk)
    require_editable(actor, present)
    effect = ""
    if replacement is not None:
        replacement = require_givable(actor, replacement)
        effect = role_effects(present, replacement.reaches).text
    services.delete_role(actor=actor, role=present, replacement=replacement, effect=effect)
