"""Finds what waits among the papers without reading the rest: documents to review, follow-ups that nobody has done."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # so that nobody has to wait while the indexes are built

    dependencies = [("customers", "0011_list_views_and_bulk")]

    operations = [
        AddIndexConcurrently(
            model_name="document",
            index=models.Index(
                fields=["organization", "uploaded_at", "id"],
                condition=Q(state="waiting"),
                name="customers_document_queue",
            ),
        ),
        *(
            AddIndexConcurrently(
                model_name="note",
                index=models.Index(
                    fields=["organization", field, "due_on", "id"],
                    condition=Q(kind="follow_up", done_at=None),
                    name=f"customers_note_{field}_due",
                ),
            )
            for field in ("customer", "author")
        ),
    ]
