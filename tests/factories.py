"""Rows for tests. Each factory makes one plausible row inside the organization it is given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import factory
from allauth.account.models import EmailAddress
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import Organization, User
from customers.exporting.making import rights_of
from customers.models import (
    AccessRequest,
    Assignment,
    BulkChange,
    Cover,
    Customer,
    CustomerUserObjectPermission,
    Export,
    TemporaryAccess,
)
from teams.models import Invitation, Member, Office, Role, RolePermission

PASSWORD = "correct horse battery 9"


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Lender {n}")
    slug = factory.Sequence(lambda n: f"lender-{n}")
    requires_second_factor = False


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    first_name = factory.Sequence(lambda n: f"First{chr(97 + n % 26)}")
    last_name = factory.Sequence(lambda n: f"Last{chr(97 + n // 26 % 26)}")

    @factory.post_generation
    def password(self, create: bool, extracted: str | None, **kwargs: Any) -> None:
        self.set_password(extracted or PASSWORD)
        self.save()
        EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)


class OfficeFactory(DjangoModelFactory):
    """Give `parent` for an office below another one."""

    class Meta:
        model = Office

    name = factory.Sequence(lambda n: f"Office {n}")

    @classmethod
    def _create(cls, model_class: type[Office], *args: Any, **kwargs: Any) -> Office:
        office: Office = super()._create(model_class, *args, **kwargs)
        office.path = f"{office.parent.path if office.parent else '/'}{office.pk}/"
        office.save(update_fields=["path"])
        return office


class RoleFactory(DjangoModelFactory):
    """`reaches` maps capabilities to reaches."""

    class Meta:
        model = Role
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Role {n}")

    @factory.post_generation
    def reaches(self, create: bool, extracted: dict[str, str] | None, **kwargs: Any) -> None:
        for capability, reach in (extracted or {}).items():
            RolePermission.objects.create(
                organization=self.organization,
                role=self,
                capability=capability,
                reach=reach,
            )


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = Member

    user = factory.SubFactory(UserFactory)


class InvitationFactory(DjangoModelFactory):
    class Meta:
        model = Invitation

    email = factory.Sequence(lambda n: f"invited{n}@example.com")
    first_name = "Ngozi"
    last_name = "Eze"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))


class CustomerFactory(DjangoModelFactory):
    class Meta:
        model = Customer

    number = factory.Sequence(lambda n: f"C-{n:06d}")
    first_name = "Adaeze"
    last_name = factory.Sequence(lambda n: f"Okafor{chr(97 + n % 26)}")
    email = factory.Sequence(lambda n: f"customer{n}@example.com")
    phone = factory.Sequence(lambda n: f"+23480{30000000 + n}")


class ExportFactory(DjangoModelFactory):
    """Finished, of four bytes; give `member`."""

    class Meta:
        model = Export

    format = Export.Format.CSV
    is_confirmed = True
    state = Export.State.DONE
    rights = factory.LazyAttribute(lambda export: rights_of(export.member))
    rows = 4
    progress = 4
    size = 4
    finished_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=24))


class BulkChangeFactory(DjangoModelFactory):
    """Done, of one customer; give `member` and `customer_ids`."""

    class Meta:
        model = BulkChange

    kind = BulkChange.Kind.REMOVE
    size = factory.LazyAttribute(lambda change: len(change.customer_ids))
    progress = factory.LazyAttribute(lambda change: change.size)
    changed = factory.LazyAttribute(lambda change: change.size)
    state = BulkChange.State.DONE
    finished_at = factory.LazyFunction(timezone.now)


def dedicate(customer: Customer, manager: Member) -> Customer:
    """What customers.services.assign_account_manager leaves behind: column, period and grant. Without mails and audit."""
    Assignment.objects.create(organization=customer.organization, customer=customer, manager=manager)
    grant(customer, manager)
    customer.account_manager = manager
    customer.save(update_fields=["account_manager"])
    return customer


def grant(customer: Customer, manager: Member) -> CustomerUserObjectPermission:
    row: CustomerUserObjectPermission = CustomerUserObjectPermission.objects.assign_perm(
        "manage_customer", manager.user, customer
    )
    return row


def emergency(customer: Customer, member: Member, **facts: Any) -> TemporaryAccess:
    """Used an hour ago, so that it opens nothing anymore."""
    began = timezone.now() - timedelta(hours=1)
    return TemporaryAccess.objects.create(
        organization=customer.organization,
        customer=customer,
        member=member,
        kind=TemporaryAccess.Kind.EMERGENCY,
        starts_at=began,
        ends_at=began + timedelta(minutes=30),
        reason=facts.pop("reason", "The customer stands at the counter"),
        **facts,
    )


def request(customer: Customer, member: Member, **facts: Any) -> AccessRequest:
    """Open for seven days, for one day of access."""
    return AccessRequest.objects.create(
        organization=customer.organization,
        customer=customer,
        member=member,
        reason=facts.pop("reason", "Asks about a repayment"),
        hours=facts.pop("hours", 24),
        expires_at=facts.pop("expires_at", timezone.now() + timedelta(days=7)),
        **facts,
    )


def cover(covered: Member, substitute: Member, **facts: Any) -> Cover:
    """For two weeks, a month from now."""
    starts_at = facts.pop("starts_at", timezone.now() + timedelta(days=30))
    return Cover.objects.create(
        organization=covered.organization,
        covered=covered,
        substitute=substitute,
        starts_at=starts_at,
        ends_at=facts.pop("ends_at", starts_at + timedelta(days=14)),
        **facts,
    )
