"""What a link said takes a value of its own where a process of the version before makes a link."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('capacity', '0013_limits'),
    ]

    operations = [
        migrations.AlterField(
            model_name='updatelink',
            name='told',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='By pool: the version that this link made, and the figures before, so that it can be undone.'),
        ),
    ]
