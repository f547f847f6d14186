"""The roles that every organization has from its first day, as data. They can be read on screen and cloned, not edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices

from teams.capabilities import Capability, Reach


class BuiltInRole(TextChoices):
    SUPER_ADMIN = "super_admin", "Super Admin"
    ADMIN = "admin", "Admin"
    ACCOUNT_MANAGER = "account_manager", "Account Manager"
    LOAN_OFFICER = "loan_officer", "Loan Officer"
    CUSTOMER_SUPPORT = "customer_support", "Customer Support"
    COMPLIANCE = "compliance", "Compliance"


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    description: str
    reaches: dict[Capability, Reach]


_EVERYTHING: Final = dict.fromkeys(Capability, Reach.ORGANIZATION)

DEFINITIONS: Final[dict[BuiltInRole, RoleDefinition]] = {
    BuiltInRole.SUPER_ADMIN: RoleDefinition("Everything, including the security policy", _EVERYTHING),
    BuiltInRole.ADMIN: RoleDefinition(
        "Everything but the security policy and Super Admins",
        {
            capability: reach
            for capability, reach in _EVERYTHING.items()
            if capability != Capability.ORGANIZATION_SECURITY
        },
    ),
    BuiltInRole.ACCOUNT_MANAGER: RoleDefinition(
        "Day-to-day work with the customers dedicated to them",
        {
            Capability.CUSTOMERS_FIND: Reach.OWN,
            Capability.CUSTOMERS_VIEW: Reach.OWN,
            Capability.CUSTOMERS_REVEAL: Reach.OWN,
            Capability.CUSTOMERS_EDIT: Reach.OWN,
            Capability.CUSTOMERS_CHANGE_STATUS: Reach.OWN,
            Capability.DOCUMENTS_UPLOAD: Reach.OWN,
            Capability.DOCUMENTS_REVIEW: Reach.OWN,
            Capability.NOTES_WRITE: Reach.OWN,
        },
    ),
    BuiltInRole.LOAN_OFFICER: RoleDefinition(
        "Finds every customer, works those of their office",
        {
            Capability.CUSTOMERS_FIND: Reach.ORGANIZATION,
            Capability.CUSTOMERS_VIEW: Reach.OFFICE,
            Capability.CUSTOMERS_REVEAL: Reach.OFFICE,
            Capability.CUSTOMERS_CREATE: Reach.OFFICE,
            Capability.CUSTOMERS_EDIT: Reach.OFFICE,
            Capability.CUSTOMERS_CHANGE_STATUS: Reach.OFFICE,
            Capability.DOCUMENTS_UPLOAD: Reach.OFFICE,
            Capability.DOCUMENTS_REVIEW: Reach.OFFICE,
            Capability.NOTES_WRITE: Reach.OFFICE,
        },
    ),
    BuiltInRole.CUSTOMER_SUPPORT: RoleDefinition(
        "Looks customers up and tells them who their account manager is",
        {
            Capability.CUSTOMERS_FIND: Reach.ORGANIZATION,
            Capability.CUSTOMERS_VIEW: Reach.ORGANIZATION,
            Capability.NOTES_WRITE: Reach.ORGANIZATION,
        },
    ),
    BuiltInRole.COMPLIANCE: RoleDefinition(
        "Reads everything, changes nothing",
        {
            Capability.CUSTOMERS_FIND: Reach.ORGANIZATION,
            Capability.CUSTOMERS_VIEW: Reach.ORGANIZATION,
            Capability.CUSTOMERS_REVEAL: Reach.ORGANIZATION,
            Capability.CUSTOMERS_OVERSEE: Reach.ORGANIZATION,
            Capability.CUSTOMERS_EXPORT: Reach.ORGANIZATION,
            Capability.CUSTOMERS_IMPOSTORS: Reach.ORGANIZATION,
            Capability.CUSTOMERS_DATA: Reach.ORGANIZATION,
            Capability.MEMBERS_VIEW: Reach.ORGANIZATION,
            Capability.OFFICES_VIEW: Reach.ORGANIZATION,
            Capability.ROLES_VIEW: Reach.ORGANIZATION,
            Capability.AUDIT_VIEW: Reach.ORGANIZATION,
            Capability.EMAILS_VIEW: Reach.ORGANIZATION,
        },
    ),
}
