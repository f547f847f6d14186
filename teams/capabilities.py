"""What a role can allow, grouped as the roles page shows it. Checks name these members; a typo does not survive import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices


class Reach(TextChoices):
    """How far a permission goes. Ordered: each reach includes the ones before it."""

    NONE = "none", "None"
    OWN = "own", "Own customers"
    OFFICE = "office", "Own office"
    ORGANIZATION = "organization", "Whole organization"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    # All four, because str brings its own alphabetical ones.
    def __lt__(self, other: str) -> bool:
        return _RANKS[self] < _RANKS[other]

    def __le__(self, other: str) -> bool:
        return _RANKS[self] <= _RANKS[other]

    def __gt__(self, other: str) -> bool:
        return _RANKS[self] > _RANKS[other]

    def __ge__(self, other: str) -> bool:
        return _RANKS[self] >= _RANKS[other]


_RANKS: Final[dict[str, int]] = {reach: rank for rank, reach in enumerate(Reach)}


class Capability(TextChoices):
    CUSTOMERS_FIND = "customers.find", "Find customers and see their card"
    CUSTOMERS_VIEW = "customers.view", "Open full profiles"
    CUSTOMERS_REVEAL = "customers.reveal", "Reveal masked numbers"
    CUSTOMERS_CREATE = "customers.create", "Add customers"
    CUSTOMERS_EDIT = "customers.edit", "Change customers' details"
    CUSTOMERS_CHANGE_STATUS = "customers.change_status", "Change customers' status"
    CUSTOMERS_ASSIGN = "customers.assign", "Choose account managers"
    CUSTOMERS_OVERSEE = "customers.oversee", "See customers dedicated to others in full"
    CUSTOMERS_EXPORT = "customers.export", "Export lists of customers"
    CUSTOMERS_EMERGENCY = "customers.emergency", "Open customers dedicated to others in an emergency"
    CUSTOMERS_IMPOSTORS = "customers.impostors", "Read and close reports of impostors"
    CUSTOMERS_DATA = "customers.data", "Export everything held on a customer and set legal holds"
    CUSTOMERS_ERASE = "customers.erase", "Erase and delete customers"
    DOCUMENTS_UPLOAD = "documents.upload", "Upload customers' documents"
    DOCUMENTS_REVIEW = "documents.review", "Approve and decline customers' documents"
    NOTES_WRITE = "notes.write", "Write notes about customers"
    MEMBERS_VIEW = "members.view", "See team members"
    MEMBERS_INVITE = "members.invite", "Invite members"
    MEMBERS_MANAGE = "members.manage", "Change role and office"
    MEMBERS_DEACTIVATE = "members.deactivate", "Deactivate and reactivate members"
    OFFICES_VIEW = "offices.view", "See offices"
    OFFICES_MANAGE = "offices.manage", "Add and change offices"
    ROLES_VIEW = "roles.view", "See roles and permissions"
    ROLES_MANAGE = "roles.manage", "Add and change roles"
    AUDIT_VIEW = "audit.view", "Read the audit log"
    EMAILS_VIEW = "emails.view", "See outgoing e-mails"
    EMAILS_RESEND = "emails.resend", "Send e-mails again"
    ORGANIZATION_SETTINGS = "organization.settings", "Change the organization's settings"
    ORGANIZATION_SECURITY = "organization.security", "Change the security policy"

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """The reaches that make sense for it; None and Whole organization alone are shown as No and Yes."""
        return _REACHES.get(self, _YES_NO)

    @property
    def field_name(self) -> str:
        """The form field that chooses its reach, for pages and for rules that point at it."""
        return self.value.replace(".", "_")

    @property
    def is_yes_no(self) -> bool:
        return self.reaches == _YES_NO


_YES_NO: Final = (Reach.NONE, Reach.ORGANIZATION)
_ALL: Final = tuple(Reach)
_PLACES: Final = (Reach.NONE, Reach.OFFICE, Reach.ORGANIZATION)
_REACHES: Final[dict[Capability, tuple[Reach, ...]]] = {
    Capability.CUSTOMERS_FIND: _ALL,
    Capability.CUSTOMERS_VIEW: _ALL,
    Capability.CUSTOMERS_REVEAL: _ALL,
    Capability.CUSTOMERS_CREATE: _PLACES,
    Capability.CUSTOMERS_EDIT: _ALL,
    Capability.CUSTOMERS_CHANGE_STATUS: _ALL,
    Capability.CUSTOMERS_ASSIGN: _ALL,
    Capability.CUSTOMERS_OVERSEE: _PLACES,
    Capability.DOCUMENTS_UPLOAD: _ALL,
    Capability.DOCUMENTS_REVIEW: _ALL,
    Capability.NOTES_WRITE: _ALL,
    Capability.CUSTOMERS_DATA: _PLACES,
    Capability.CUSTOMERS_ERASE: _PLACES,
    Capability.MEMBERS_VIEW: _PLACES,
    Capability.MEMBERS_INVITE: _PLACES,
    Capability.MEMBERS_MANAGE: _PLACES,
    Capability.MEMBERS_DEACTIVATE: _PLACES,
}


@dataclass(frozen=True, slots=True)
class PermissionUnit:
    label: str
    description: str
    capabilities: tuple[Capability, ...]


def _starting_with(prefix: str) -> tuple[Capability, ...]:
    return tuple(capability for capability in Capability if capability.startswith(prefix))


UNITS: Final = (
    PermissionUnit("Users", "The lender's customers and their account managers", _starting_with("customers.")),
    PermissionUnit(
        "Documents and notes",
        "What is kept about customers whose full profile the role opens",
        _starting_with("documents.") + _starting_with("notes."),
    ),
    PermissionUnit("Team members", "The lender's own people", _starting_with("members.")),
    PermissionUnit("Offices", "Head office, branches and teams", _starting_with("offices.")),
    PermissionUnit("Roles and permissions", "What each role may do", _starting_with("roles.")),
    PermissionUnit(
        "Back office",
        "Oversight of what happened and what was sent",
        _starting_with("audit.") + _starting_with("emails."),
    ),
    PermissionUnit("Organization", "Settings of the whole organization", _starting_with("organization.")),
)
