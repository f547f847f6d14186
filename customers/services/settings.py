"""Settings of the organization that touch customers: its currency."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Organization
from customers.errors import CurrencyInUse
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


def amounts_exist(organization: Organization) -> bool:
    rows: bool = Customer.objects.for_organization(organization).exclude(monthly_income=None).exists()
    return rows
