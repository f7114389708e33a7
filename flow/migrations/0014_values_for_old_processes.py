"""Columns that came lately take a value of their own where a process of the version before writes a row without them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flow", "0013_how_requests_were_answered"),
    ]

    operations = [
        migrations.AlterField(
            model_name="acceptancemodel",
            name="outcomes",
            field=models.JSONField(
                db_default={}, default=dict, help_text="How many requests were answered how: accepted, never, or refused for a reason."
            ),
        ),
        migrations.AlterField(
            model_name="planline",
            name="together",
            field=models.JSONField(db_default=[], default=list, help_text="The stays of those whom this person is to stay together with."),
        ),
    ]
