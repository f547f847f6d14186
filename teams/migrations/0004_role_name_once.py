import django.db.models.functions.text
from django.db import migrations, models

CREATE = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {} ON teams_role (organization_id, lower(name)){}"
DROP = "DROP INDEX CONCURRENTLY IF EXISTS {}"
FORMER, PRESENT = "teams_role_name_once", "teams_role_present_name_once"
WHERE = " WHERE deleted_at IS NULL"


class Migration(migrations.Migration):
    """The name of a deleted role is free again. Without a lock on the table, so outside of a transaction."""

    atomic = False

    dependencies = [("teams", "0003_roles")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(CREATE.format(PRESENT, WHERE), DROP.format(PRESENT)),
                migrations.RunSQL(DROP.format(FORMER), CREATE.format(FORMER, "")),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="role",
                    constraint=models.UniqueConstraint(
                        models.F("organization"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("deleted_at", None)),
                        name="teams_role_present_name_once",
                    ),
                ),
                migrations.RemoveConstraint(
                    model_name="role",
                    name="teams_role_name_once",
                ),
            ],
        ),
    ]
