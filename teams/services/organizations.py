"""A lender's first day, its built-in roles, and its suspension by an operator."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.models import RESERVED_SLUGS, Organization, User
from accounts.validators import validate_person_name
from audit.services import record
from audit.verbs import Verb
from lendconsole.tenancy import organization_context
from teams.built_in_roles import DEFINITIONS, BuiltInRole, RoleDefinition
from teams.errors import OrganizationNotCreated
from teams.models import Invitation, Office, Role, RolePermission
from teams.services.invitations import issue_invitation
from teams.services.offices import add_office

HEAD_OFFICE: Final = "Head Office"


@transaction.atomic
def create_organization(
    *,
    name: str,
    slug: str,
    super_admin_email: str,
    first_name: str,
    last_name: str,
    time_zone: str = "Africa/Lagos",
    currency: str = "NGN",
    requires_second_factor: bool = True,
) -> Invitation:
    """A new lender with its head office and built-in roles; its first Super Admin is invited. Done by an operator.

    Called outside of any organization. Raises OrganizationNotCreated with everything that is wrong.
    """
    organization = Organization(
        name=name,
        slug=slug,
        time_zone=time_zone,
        currency=currency,
        requires_second_factor=requires_second_factor,
    )
    email = User.objects.normalize_email(super_admin_email)
    _refuse_bad_facts(organization, email, first_name, last_name)
    organization.save()
    with organization_context(organization.pk):
        record(actor=None, verb=Verb.ORGANIZATION_CREATED, target=organization, after={"name": name, "slug": slug})
        head_office = add_office(
            organization=organization, name=HEAD_OFFICE, office_type=Office.Type.HEAD_OFFICE, parent=None
        )
        roles = sync_built_in_roles(organization=organization)
        return issue_invitation(
            organization=organization,
            actor=None,
            email=email,
            first_name=first_name,
            last_name=last_name,
            role=roles[BuiltInRole.SUPER_ADMIN],
            office=head_office,
        )


def _refuse_bad_facts(organization: Organization, email: str, first_name: str, last_name: str) -> None:
    problems: list[str] = []
    try:
        organization.full_clean()
    except ValidationError as error:
        problems += [f"{field}: {' '.join(sentences)}" for field, sentences in error.message_dict.items()]
    if organization.slug in RESERVED_SLUGS:
        problems.append(f"slug: “{organization.slug}” is kept for the console itself.")
    for label, value, validate in (
        ("name", organization.name, validate_person_name),
        ("super admin email", email, validate_email),
        ("first name", first_name, validate_person_name),
        ("last name", last_name, validate_person_name),
    ):
        try:
            validate(value)
        except ValidationError as error:
            problems += [f"{label}: {sentence}" for sentence in error.messages]
    if problems:
        raise OrganizationNotCreated("\n".join(problems))


@transaction.atomic
def sync_built_in_roles(*, organization: Organization) -> dict[BuiltInRole, Role]:
    """Make the organization's built-in roles equal to their definitions. Again and again: nothing more changes."""
    roles = {}
    for built_in, definition in DEFINITIONS.items():
        role, _ = Role.objects.update_or_create(
            organization=organization,
            built_in=built_in,
            defaults={"name": built_in.label, "description": definition.description},
        )
        _sync_permissions(role, definition)
        roles[built_in] = role
    return roles


def _sync_permissions(role: Role, definition: RoleDefinition) -> None:
    wanted = {capability.value: reach.value for capability, reach in definition.reaches.items()}
    role.permissions.exclude(capability__in=wanted).delete()
    RolePermission.objects.bulk_create(
        [
            RolePermission(organization_id=role.organization_id, role=role, capability=capability, reach=reach)
            for capability, reach in wanted.items()
        ],
        update_conflicts=True,
        unique_fields=["role", "capability"],
        update_fields=["reach"],
    )


@transaction.atomic
def suspend_organization(*, organization: Organization, reason: str = "") -> None:
    """Close the lender's console to all of its members at once; nothing is deleted. Done by an operator."""
    _set_suspended(organization, suspended=True, reason=reason)


@transaction.atomic
def resume_organization(*, organization: Organization, reason: str = "") -> None:
    """Open it again."""
    _set_suspended(organization, suspended=False, reason=reason)


def _set_suspended(organization: Organization, *, suspended: bool, reason: str) -> None:
    present = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if present.is_active != suspended:
        return
    present.suspended_at = timezone.now() if suspended else None
    present.save(update_fields=["suspended_at"])
    organization.suspended_at = present.suspended_at
    with organization_context(present.pk):
        verb = Verb.ORGANIZATION_SUSPENDED if suspended else Verb.ORGANIZATION_RESUMED
        record(actor=None, verb=verb, target=present, reason=reason)
