from __future__ import annotations

import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from customers.querysets import ImportQuerySet
from lendconsole.tenancy import SameOrganization, TenantModel


class CustomerImport(TenantModel):
    """A file of customers on its way into the console: brought by one member, seen by that member alone."""

    class State(models.TextChoices):
        DRAFT = "draft", "Columns to be chosen"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Ready to import"
        LOADING = "loading", "Being imported"
        DONE = "done", "Imported"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        FAILED = "failed", "Not imported"

    member = models.ForeignKey("teams.Member", models.CASCADE, related_name="imports")
    file = models.ForeignKey(
        "customers.StoredFile", models.SET_NULL, null=True, related_name="+", help_text="until it is imported"
    )
    file_name = models.CharField(max_length=200)
    header = models.JSONField(default=list, help_text="what the first line calls the columns")
    samples = models.JSONField(default=list, help_text="the first rows, until the file is imported")
    columns = models.JSONField(default=list, help_text="which Column each one is; empty: left out")
    offices = models.JSONField(default=dict, help_text="office by a name that only the file knows")
    managers = models.JSONField(
        default=dict, help_text="member, or null for nobody, by a name that only the file knows"
    )
    updates = models.BooleanField(default=False, help_text="also change the customers who are there already")
    is_confirmed = models.BooleanField(
        default=False, help_text="many customers, by somebody who had just shown who they are"
    )

    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    state_reason = models.CharField(max_length=300, blank=True)
    report = models.JSONField(default=dict, help_text="customers.importing.reports.as_json")
    refusals = models.ForeignKey("customers.StoredFile", models.SET_NULL, null=True, related_name="+")
    rows = models.PositiveIntegerField(null=True, help_text="as far as it is known before all are read")
    progress = models.PositiveIntegerField(default=0, help_text="how many of them are read")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="at what is being done now")
    claim = models.UUIDField(null=True, help_text="of the latest attempt")
    leased_until = models.DateTimeField(null=True, help_text="until then the worker at it is taken to be alive")
    batch = models.UUIDField(default=uuid.uuid4, help_text="shared with the periods that it begins")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    objects = ImportQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_import_{field}_same_organization")
                for field in ("member", "file", "refusals")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "member", "-created_at"], name="customers_import_recent"),
            models.Index(fields=["organization", "expires_at"], name="customers_import_expiry"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_at_work(self) -> bool:
        """Whether the worker has still something to do."""
        return self.state in WORKING

    @property
    def is_read(self) -> bool:
        return self.rows is not None and self.progress >= self.rows

    @property
    def step(self) -> int:
        """Which of the four steps that people see it is at."""
        return _STEPS.get(self.State(self.state), 4)

    @property
    def tone(self) -> str:
        """The color of the state."""
        return _TONES.get(self.State(self.state), "blue")

    @property
    def to_import(self) -> int:
        """Of how many customers the check says that they would be new or changed."""
        return int(self.report["new"] + self.report["updated"])

    @property
    def to_import_words(self) -> str:
        return f"Import {self.to_import:,} customer{'' if self.to_import == 1 else 's'}"

    @property
    def may_be_undone(self) -> bool:
        return self.state == self.State.DONE and self.to_import > 0


_State = CustomerImport.State
WORKING: Final = frozenset({_State.CHECKING, _State.LOADING, _State.UNDOING})
_STEPS: Final = {_State.DRAFT: 2, _State.CHECKING: 3, _State.CHECKED: 3}
_TONES: Final = {
    _State.DRAFT: "yellow",
    _State.CHECKED: "yellow",
    _State.DONE: "green",
    _State.UNDONE: "grey",
    _State.FAILED: "orange",
}


class MadeCustomers(TenantModel):
    """Customers that an import made, many to a row. Nobody touched those that are still of their first version."""

    customer_import = models.ForeignKey(CustomerImport, models.CASCADE, related_name="made_customers")
    customer_ids = ArrayField(models.BigIntegerField(), help_text="some may have been removed since")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("customer_import", name="customers_madecustomers_import_same_organization"),
        ]


class ChangedCustomer(TenantModel):
    """What an import did to a customer who was there already, kept as long as it can be undone."""

    customer_import = models.ForeignKey(CustomerImport, models.CASCADE, related_name="changed_customers")
    customer = models.ForeignKey("customers.Customer", models.CASCADE, db_constraint=False, related_name="+")
    version = models.PositiveIntegerField(help_text="of the customer afterwards; a later one was touched since")
    before = models.JSONField(help_text="the columns it changed, as they were")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_changedcustomer_{field}_same_organization")
                for field in ("customer_import", "customer")
            ),
        ]


class ImportMemory(TenantModel):
    """What was chosen for a file with the same first line, so that the next one needs no choosing."""

    signature = models.CharField(max_length=64, help_text="digest of the first line")
    columns = models.JSONField(default=list)
    offices = models.JSONField(default=dict)
    managers = models.JSONField(default=dict)
    used_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "signature"], name="customers_importmemory_once"),
        ]
