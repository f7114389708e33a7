"""What a sender asks even so stays known until its turn comes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flow", "0023_first_row_of_history")]

    operations = [
        migrations.AddField(
            model_name="queuedask",
            name="even_so",
            field=models.BooleanField(
                db_default=False, default=False, help_text="The sender asks it though its entry speaks against the person."
            ),
        ),
    ]
