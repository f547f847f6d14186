"""Exports keep their file where all others lie.

The code that runs until the restart goes on with the table of pieces and the column of the size. Both stay behind, unknown
to the models, and a later release drops them. What is still in the table goes with its export, by a trigger: foreign keys
of a table without a model would stand in the way of whoever empties the others.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import lendconsole.tenancy

DEFAULT_SIZE = "ALTER TABLE customers_export ALTER COLUMN size SET DEFAULT 0"
NO_DEFAULT_SIZE = "ALTER TABLE customers_export ALTER COLUMN size DROP DEFAULT"
TRIGGER = """
CREATE FUNCTION customers_drop_exportchunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM customers_exportchunk WHERE export_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER customers_exportchunks_go AFTER DELETE ON customers_export
  FOR EACH ROW EXECUTE FUNCTION customers_drop_exportchunks();
"""
NO_TRIGGER = """
DROP TRIGGER customers_exportchunks_go ON customers_export;
DROP FUNCTION customers_drop_exportchunks();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_waiting_papers")]

    operations = [
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
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(DEFAULT_SIZE, NO_DEFAULT_SIZE),
                migrations.RunSQL(TRIGGER, NO_TRIGGER),
                migrations.RemoveConstraint(
                    model_name="exportchunk", name="customers_exportchunk_export_same_organization"
                ),
                migrations.AlterField(
                    model_name="exportchunk",
                    name="export",
                    field=models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="customers.export",
                    ),
                ),
                migrations.AlterField(
                    model_name="exportchunk",
                    name="organization",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_default=lendconsole.tenancy.CurrentOrganization(),
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            state_operations=[
                migrations.RemoveField(model_name="export", name="size"),
                migrations.DeleteModel(name="ExportChunk"),
            ],
        ),
    ]
