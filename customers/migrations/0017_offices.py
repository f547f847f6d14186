"""The index of an office's customers carries their status, so that counting them by status leaves the rows alone."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that nobody has to wait while the index is built

    dependencies = [("customers", "0016_search_offices")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                fields=["organization", "office", "name_key", "id"], include=["status"], name="customers_offices"
            ),
        ),
        RemoveIndexConcurrently(model_name="customer", name="customers_office_list"),
    ]
