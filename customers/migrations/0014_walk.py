"""The index behind the list by name carries what a search compares, so that a walk along it leaves the rows alone."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that nobody has to wait while the index is built

    dependencies = [("customers", "0013_export_files")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(fields=["organization", "name_key", "id"], include=["search"], name="customers_walk"),
        ),
        RemoveIndexConcurrently(model_name="customer", name="customers_list"),
    ]
