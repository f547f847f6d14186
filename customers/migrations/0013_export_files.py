"""Exports keep their file where all others lie. Finished ones go with their pieces, as they would within a day."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import lendconsole.tenancy


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_waiting_papers")]

    operations = [
        migrations.DeleteModel(name="ExportChunk"),
        migrations.RunSQL("DELETE FROM customers_export WHERE state = 'done'", migrations.RunSQL.noop),
        migrations.RemoveField(model_name="export", name="size"),
        migrations.AddField(
            model_name="export",
            name="file",
            field=models.ForeignKey(
                help_text="once it is ready",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="customers.storedfile",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=lendconsole.tenancy.SameOrganization("file", name="customers_export_file_same_organization"),
        ),
    ]
