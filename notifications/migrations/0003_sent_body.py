from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_claim")]
    operations = [
        migrations.AddField(
            model_name="outgoingemail",
            name="sent_body",
            field=models.JSONField(help_text="text and html, kept in development only, for /dev/mailbox", null=True),
        ),
    ]
