from __future__ import annotations

from django.db import models
from django.utils import timezone

from lendconsole.tenancy import SameOrganization, TenantModel


class StoredFile(TenantModel):
    """A file that people brought, or that the console made for them. Whoever points at it decides who may read it."""

    name = models.CharField(max_length=200, help_text="without a path, as people see it")
    size = models.PositiveBigIntegerField(help_text="bytes")
    digest = models.CharField(max_length=64, help_text="SHA-256")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class StoredChunk(TenantModel):
    """A piece of the file. In the database, so that every process can read it and it is backed up behind the same walls."""

    file = models.ForeignKey(StoredFile, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("file", name="customers_storedchunk_file_same_organization"),
            models.UniqueConstraint(fields=["file", "number"], name="customers_storedchunk_once"),
        ]
