"""Columns of outcome tools take a value of their own where a process of the version before writes a row without them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('flow', '0029_hubs_take_back'),
    ]

    operations = [
        migrations.AlterField(
            model_name='followup',
            name='tool',
            field=models.CharField(blank=True, db_default='', default='', help_text='The questionnaire whose score is due; its questions stand elsewhere.', max_length=100),
        ),
        migrations.AlterField(
            model_name='pathwayversion',
            name='outcome_days',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='Days after the yes on which each tool is due, by its name.'),
        ),
    ]
