from __future__ import annotations

from typing import Final

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.validators import validate_person_name
from customers.models.grants import MANAGE
from customers.querysets import CustomerQuerySet
from customers.text import mask_email, mask_phone
from lendconsole.tenancy import SameOrganization, TenantModel, TenantPart


class FoldedName(models.Func):
    """Small letters without diacritics; immutable, and equal to customers.text.fold."""

    template = (
        r"translate(lower(regexp_replace(normalize(%(expressions)s, NFD), U&'[\0300-\036F]', '', 'g')), 'ɓɗƙƴ', 'bdky')"
    )
    arg_joiner = " || ' ' || "
    output_field = models.TextField(db_collation="C")


class Words(models.Func):
    """Its arguments separated by blanks and led by one, so that `% ab%` finds the start of any word."""

    template = "(' ' || %(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = models.TextField(db_collation="C")


class Customer(TenantPart):
    """A borrower. `account_manager` is the present dedicated member; it, the open Assignment and guardian's grant always agree."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        BLACKLISTED = "blacklisted", "Blacklisted"

    class Segment(models.TextChoices):
        STANDARD = "standard", "Standard"
        SALARY = "salary", "Salary"
        SME = "sme", "SME"
        HIGH_VALUE = "high_value", "High value"
        SPECIAL_RISK = "special_risk", "Special risk"

    class Gender(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"

    class EmploymentStatus(models.TextChoices):
        EMPLOYED = "employed", "Employed"
        SELF_EMPLOYED = "self_employed", "Self-employed"
        UNEMPLOYED = "unemployed", "Unemployed"
        RETIRED = "retired", "Retired"

    number = models.CharField(
        "customer number",
        max_length=20,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9/-]*\Z", "Letters, digits, - and / only.")],
    )
    first_name = models.CharField(max_length=80, validators=[validate_person_name])
    last_name = models.CharField(max_length=80, validators=[validate_person_name])
    email = models.EmailField("e-mail", blank=True, help_text="small letters")
    phone = models.CharField(max_length=20, blank=True, help_text="E.164, such as +2348034129981")
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    status_reason = models.CharField(max_length=300, blank=True)
    segment = models.CharField(max_length=20, choices=Segment, default=Segment.STANDARD)
    office = models.ForeignKey(
        "teams.Office", models.PROTECT, db_constraint=False, db_index=False, related_name="customers"
    )
    account_manager = models.ForeignKey(
        "teams.Member",
        models.PROTECT,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="customers",
    )
    joined_on = models.DateField("date joined", default=timezone.localdate)

    bvn_encrypted = models.TextField(blank=True, editable=False)
    bvn_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    bvn_last_digits = models.CharField(max_length=4, blank=True, editable=False)
    date_of_birth = models.DateField(null=True, blank=True)
    gender = models.CharField(max_length=10, choices=Gender, blank=True)
    address = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=60, blank=True)
    employer = models.CharField(max_length=120, blank=True)
    employment_status = models.CharField(max_length=20, choices=EmploymentStatus, blank=True)
    monthly_income = models.BigIntegerField(
        null=True, blank=True, help_text="minor units of the organization's currency"
    )

    held_until = models.DateField(
        null=True, editable=False, help_text="the last day of a legal hold: until then nothing is erased"
    )
    hold_reason = models.CharField(max_length=300, default="", db_default="", editable=False)
    erased_at = models.DateTimeField(
        null=True, editable=False, help_text="since then only number, office and dates are left"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    name_key = models.GeneratedField(
        expression=FoldedName("first_name", "last_name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    search = models.GeneratedField(
        expression=Words(FoldedName("first_name", "last_name"), "email", "phone", Lower("number")),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    objects = CustomerQuerySet.as_manager()

    # What CustomerQuerySet.with_access, with_papers, with_oversight and with_absence add to a row that is shown to a member.
    access: str
    can_edit: bool
    can_change_status: bool
    can_assign: bool
    can_reveal: bool
    can_note: bool
    can_upload: bool
    can_review: bool
    can_oversee: bool
    can_see_data: bool
    manager_is_absent: bool

    class Meta(TenantModel.Meta):
        permissions = [(MANAGE, "Works the customer as their own")]
        default_permissions = ()
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("office", name="customers_customer_office_same_organization"),
            SameOrganization("account_manager", name="customers_customer_manager_same_organization"),
            models.UniqueConstraint("organization", Lower("number"), name="customers_customer_number_once"),
            models.UniqueConstraint(
                fields=["organization", "phone"], condition=~Q(phone=""), name="customers_customer_phone_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "email"], condition=~Q(email=""), name="customers_customer_email_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "bvn_fingerprint"],
                condition=~Q(bvn_fingerprint=""),
                name="customers_customer_bvn_once",
            ),
            models.CheckConstraint(
                condition=Q(monthly_income=None) | Q(monthly_income__gte=0), name="customers_customer_income_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "name_key", "id"], include=["search"], name="customers_walk"),
            models.Index(fields=["organization", "-joined_on", "-id"], name="customers_joined"),
            models.Index(
                fields=["organization", "office", "name_key", "id"], include=["status"], name="customers_offices"
            ),
            models.Index(fields=["organization", "account_manager", "name_key", "id"], name="customers_manager_list"),
            models.Index(fields=["organization", "status", "name_key", "id"], name="customers_status_list"),
            models.Index(fields=["organization", "account_manager", "office", "id"], name="customers_manager_office"),
            GinIndex(
                fields=["organization", "search"], opclasses=["int8_ops", "gin_trgm_ops"], name="customers_search"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def initials(self) -> str:
        return (self.first_name[:1] + self.last_name[:1]).upper()

    @property
    def audit_label(self) -> str:
        """The log cannot forget, so it never learns the name."""
        return self.number

    @property
    def tone(self) -> str:
        """The color of the status."""
        return _TONES[self.Status(self.status)]

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @property
    def masked_email(self) -> str:
        return mask_email(self.email)

    @property
    def has_office_mismatch(self) -> bool:
        """The account manager sits in another office than the customer's."""
        return self.account_manager is not None and self.account_manager.office_id != self.office_id


_TONES: Final = {
    Customer.Status.ACTIVE: "green",
    Customer.Status.PENDING: "yellow",
    Customer.Status.INACTIVE: "grey",
    Customer.Status.BLACKLISTED: "red",
}
