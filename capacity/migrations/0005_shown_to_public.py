from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("capacity", "0004_late_reports")]
    operations = [
        migrations.AddField(
            "servicecapacity",
            "shown_to_public",
            models.BooleanField(default=True, db_default=True, help_text="False: only professionals see how many places are free."),
        ),
    ]
