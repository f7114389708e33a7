"""A session knows what it was made from."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("capacity", "0007_places_of_every_kind")]
    operations = [
        migrations.AddField(
            "servicecapacity",
            "session_of",
            models.ForeignKey(
                blank=True,
                help_text="The places a session that it was made from.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sessions",
                to="capacity.servicecapacity",
            ),
        ),
    ]
