from __future__ import annotations

from typing import Final

from django.db import models
from django.utils import timezone

from customers.querysets import ExpiringJobQuerySet
from lendconsole.tenancy import SameOrganization, TenantModel

LONGEST_WORDS: Final = 600


class Export(TenantModel):
    """A list of customers as a file: asked for by one member, made by the worker, open to that member alone until it expires."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel (XLSX)"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being made"
        DONE = "done", "Ready"
        FAILED = "failed", "Not made"

    member = models.ForeignKey("teams.Member", models.CASCADE, related_name="exports")
    format = models.CharField(max_length=10, choices=Format)
    filters = models.JSONField(default=dict, help_text="the parameters of the list's address")
    words = models.CharField(max_length=LONGEST_WORDS, blank=True, help_text="the same as people read it")
    is_confirmed = models.BooleanField(
        help_text="asked for many customers, by somebody who had just shown who they are"
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    state_reason = models.CharField(max_length=300, blank=True)
    rights = models.CharField(max_length=64, blank=True, help_text="digest of what decided what the member saw")
    rows = models.PositiveIntegerField(null=True, help_text="how many customers; none until they are found")
    progress = models.PositiveIntegerField(default=0, help_text="how many of them are written")
    file = models.ForeignKey(
        "customers.StoredFile", models.SET_NULL, null=True, related_name="+", help_text="once it is ready"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, help_text="until then the worker that makes it is taken to be alive")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    objects = ExpiringJobQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"customers_export_{field}_same_organization")
                for field in ("member", "file")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "member", "-created_at"], name="customers_export_recent"),
            models.Index(fields=["organization", "expires_at"], name="customers_export_expiry"),
        ]

    def __str__(self) -> str:
        return f"Export {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether the worker has still something to do."""
        return self.state in {self.State.WAITING, self.State.RUNNING}

    @property
    def is_done(self) -> bool:
        return self.state == self.State.DONE
