from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from customers.models.customer import Customer
from customers.querysets import JobQuerySet
from lendconsole.tenancy import SameOrganization, TenantModel

UNDO_WITHIN: Final = timedelta(hours=24)


class BulkChange(TenantModel):
    """One change of many customers: asked for by one member, carried out at once or, when they are many, by the worker.

    The customers are fixed when it is asked for. `progress` says how many of them are dealt with, in their order; it is
    written with each portion, so that whoever goes on after a crash begins behind what is done.
    """

    class Kind(models.TextChoices):
        ASSIGN = "assign", "Account manager"
        REMOVE = "remove", "Account manager removed"
        STATUS = "status", "Status"
        UNDO = "undo", "Taken back"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Under way"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    member = models.ForeignKey("teams.Member", models.PROTECT, related_name="bulk_changes")
    kind = models.CharField(max_length=10, choices=Kind)
    manager = models.ForeignKey("teams.Member", models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=20, choices=Customer.Status, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    words = models.CharField(max_length=600, blank=True, help_text="which customers, as people read it")
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    batch = models.UUIDField(default=uuid.uuid4, help_text="shared by the periods that it began and ended")
    customer_ids = ArrayField(models.BigIntegerField(), help_text="in ascending order")
    size = models.PositiveIntegerField(help_text="how many they are")
    progress = models.PositiveIntegerField(default=0, help_text="how many of them are dealt with")
    changed = models.PositiveIntegerField(default=0, help_text="how many of these were not so already")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    state_reason = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, help_text="until then whoever carries it out is taken to be alive")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_bulkchange_{field}_same_organization")
                for field in ("member", "manager", "undoes")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "member", "-created_at"], name="customers_bulk_recent"),
            models.Index(
                fields=["organization"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="customers_bulk_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.size} customers"

    @property
    def is_open(self) -> bool:
        return self.state in {self.State.WAITING, self.State.RUNNING}

    @property
    def can_be_undone(self) -> bool:
        """For a day, once."""
        is_done = self.state == self.State.DONE and self.kind != self.Kind.UNDO and self.changed > 0
        return is_done and self.created_at > timezone.now() - UNDO_WITHIN and not hasattr(self, "undone_by")

    @property
    def changes_status(self) -> bool:
        """Forward or back; the others are about account managers."""
        return (self.undoes or self).kind == self.Kind.STATUS

    @property
    def outcome(self) -> str:
        """What happened so far, as a sentence."""
        one = self.changed == 1
        who = "1 customer" if one else f"{self.changed:,} customers"
        match self.kind:
            case self.Kind.ASSIGN:
                return f"{who} now {'has' if one else 'have'} {self.manager} as account manager."
            case self.Kind.REMOVE:
                return f"{who} no longer {'has' if one else 'have'} an account manager."
            case self.Kind.STATUS:
                return f"{who} {'is' if one else 'are'} now {self.get_status_display().lower()}."
        return f"{who} {'is' if one else 'are'} as before."

    @property
    def unchanged(self) -> int:
        """How many of those dealt with stayed as they were."""
        return self.progress - self.changed


class FormerStatus(TenantModel):
    """The status of a customer before the bulk change that gave them the present one. Any later change of it ends this row."""

    change = models.ForeignKey(BulkChange, models.CASCADE, db_constraint=False, related_name="former_statuses")
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    status = models.CharField(max_length=20, choices=Customer.Status)
    reason = models.CharField(max_length=300, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "former statuses"
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "customer"], name="customers_formerstatus_once"),
            *(
                SameOrganization(field, name=f"customers_formerstatus_{field}_same_organization")
                for field in ("change", "customer")
            ),
        ]
