"""Finds the customers whose account manager sits in another office without reading the others."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that nobody has to wait while the index is built

    dependencies = [("customers", "0009_import")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                fields=["organization", "account_manager", "office", "id"], name="customers_manager_office"
            ),
        ),
    ]
