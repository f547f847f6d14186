"""What an organization is called, where it is reached, and which e-mails it sends."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.logos import read_logo
from accounts.models import Organization, OrganizationLogo
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import StaleVersion
from lendconsole.money import CURRENCIES
from notifications.letters import label_of, switches
from teams.capabilities import Capability
from teams.errors import OrganizationFactRefused
from teams.models import Member
from teams.services.guards import lock_team

SHORTEST_INVITATION, LONGEST_INVITATION = 1, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFacts:
    """The columns of an organization that its admins change. `muted_emails`: the kinds that are switched off."""

    name: str
    contact_email: str
    contact_phone: str
    website: str
    time_zone: str
    currency: str
    sender_name: str
    reply_to: str
    invitation_days: int
    muted_emails: tuple[str, ...]

    @classmethod
    def of(cls, organization: Organization) -> OrganizationFacts:
        facts: dict[str, Any] = {field.name: getattr(organization, field.name) for field in fields(cls)}
        return cls(**{**facts, "muted_emails": tuple(sorted(facts["muted_emails"]))})


@transaction.atomic
def change_organization(*, actor: Member, facts: OrganizationFacts, version: int) -> Organization:
    """The same facts again change nothing. Raises PermissionMissing, OrganizationFactRefused or StaleVersion."""
    actor = lock_team(actor)
    actor.require(Capability.ORGANIZATION_SETTINGS)
    organization = actor.organization
    former = OrganizationFacts.of(organization)
    before, after = asdict(former), asdict(facts)
    changed = [name for name in before if before[name] != after[name]]
    if not changed:
        return organization
    if version != organization.version:
        raise StaleVersion(
            "Somebody changed the settings while you had them open. Open the page again to go on from there."
        )
    _refuse_bad_facts(organization, facts, changed)
    organization.version += 1
    organization.save(update_fields=[*changed, "version"])
    record(
        actor=actor,
        verb=Verb.ORGANIZATION_CHANGED,
        target=organization,
        before={name: _written(before[name]) for name in changed},
        after={name: _written(after[name]) for name in changed},
    )
    return organization


@transaction.atomic
def set_logo(*, actor: Member, content: bytes) -> Organization:
    """Show this picture from now on. Raises PermissionMissing or LogoRefused."""
    return _write_logo(actor, content)


@transaction.atomic
def remove_logo(*, actor: Member) -> Organization:
    """Show the name alone again. Raises PermissionMissing."""
    return _write_logo(actor, None)


def _write_logo(actor: Member, content: bytes | None) -> Organization:
    actor = lock_team(actor)
    actor.require(Capability.ORGANIZATION_SETTINGS)
    organization = actor.organization
    logo = read_logo(content) if content is not None else None
    digest = logo.digest if logo else ""
    if digest == organization.logo_digest:
        return organization
    OrganizationLogo.objects.filter(organization=organization).delete()
    if logo is not None:
        OrganizationLogo.objects.create(organization=organization, content=logo.content)
    had_one = bool(organization.logo_digest)
    organization.logo_digest = digest
    organization.save(update_fields=["logo_digest"])
    record(
        actor=actor,
        verb=Verb.ORGANIZATION_CHANGED,
        target=organization,
        before={"logo": "a picture" if had_one else "none"},
        after={"logo": ("another picture" if had_one else "a picture") if logo else "none"},
    )
    return organization


def _refuse_bad_facts(organization: Organization, facts: OrganizationFacts, changed: list[str]) -> None:
    """Writes them into the row as well. Only what changes is looked at: an old value stays as it is."""
    for name in changed:
        setattr(organization, name, getattr(facts, name))
    organization.muted_emails = list(facts.muted_emails)
    if "currency" in changed and facts.currency not in CURRENCIES:
        raise OrganizationFactRefused(f"{facts.currency} is not the code of a currency.", field="currency")
    if not SHORTEST_INVITATION <= facts.invitation_days <= LONGEST_INVITATION:
        raise OrganizationFactRefused(
            f"From {SHORTEST_INVITATION} to {LONGEST_INVITATION} days.", field="invitation_days"
        )
    if unknown := set(facts.muted_emails) - {kind for kind, _ in switches()}:
        raise OrganizationFactRefused(f"{label_of(min(unknown))} is always sent.", field="muted_emails")
    try:
        organization.clean_fields(
            exclude=[field.name for field in Organization._meta.fields if field.name not in changed]
        )
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        raise OrganizationFactRefused(" ".join(sentences), field=name) from error


def _written(value: Any) -> Any:
    return [label_of(kind) for kind in value] if isinstance(value, tuple) else value
