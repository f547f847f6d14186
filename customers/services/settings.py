"""Settings of the organization that touch customers: its currency, and who sees those that are dedicated to somebody."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from customers.errors import CurrencyInUse
from customers.exclusiveness import exclusiveness_effects, require_exclusiveness
from customers.models import Customer
from teams import services
from teams.capabilities import Capability
from teams.models import Member
from teams.services.guards import lock_team


@transaction.atomic
def change_organization(*, actor: Member, facts: services.OrganizationFacts, version: int) -> Organization:
    """Raises CurrencyInUse and what teams.services.change_organization raises."""
    actor = lock_team(actor)
    actor.require(Capability.ORGANIZATION_SETTINGS)
    if facts.currency != actor.organization.currency and amounts_exist(actor.organization):
        raise CurrencyInUse(
            f"Amounts in {actor.organization.currency} are on record. Their figures would stay and mean other amounts, "
            "so the currency can no longer be changed."
        )
    return services.change_organization(actor=actor, facts=facts, version=version)


@transaction.atomic
def set_exclusive_assignments(*, actor: Member, exclusive: bool) -> Organization:
    """Whether dedicated customers are open in full to their account manager and overseers only, in force at once.

    The same again changes nothing. Raises PermissionMissing.
    """
    actor = lock_team(actor)
    require_exclusiveness(actor)
    organization = actor.organization
    if organization.exclusive_assignments == exclusive:
        return organization
    effects = exclusiveness_effects(organization, exclusive=exclusive)
    organization.exclusive_assignments = exclusive
    organization.save(update_fields=["exclusive_assignments"])
    record(
        actor=actor,
        verb=Verb.EXCLUSIVENESS_CHANGED,
        target=organization,
        before={"exclusive_assignments": not exclusive},
        after={"exclusive_assignments": exclusive},
        reason=effects.text,
    )
    return organization


def amounts_exist(organization: Organization) -> bool:
    rows: bool = Customer.objects.for_organization(organization).exclude(monthly_income=None).exists()
    return rows
