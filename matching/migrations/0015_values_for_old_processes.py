"""Columns that came lately take a value of their own where a process of the version before writes a row without them."""

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('matching', '0014_chances'),
    ]

    operations = [
        migrations.AlterField(
            model_name='matchrun',
            name='because',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, db_default=[], default=list, help_text='Codes of the rules that suggested a support.', size=None),
        ),
        migrations.AlterField(
            model_name='matchrun',
            name='part',
            field=models.CharField(blank=True, db_default='', default='', help_text='“package”, or a code of `matching.support`; empty: stands by itself.', max_length=20),
        ),
        migrations.AlterField(
            model_name='unmetneed',
            name='digest',
            field=models.CharField(db_default=django.db.models.functions.text.MD5(django.db.models.functions.comparison.Cast(django.contrib.postgres.functions.RandomUUID(), models.TextField())), max_length=64),
        ),
        migrations.AlterField(
            model_name='unmetneed',
            name='on',
            field=models.DateField(db_default=models.Func(django.db.models.functions.datetime.Now(), output_field=models.DateField(), template="(%(expressions)s AT TIME ZONE 'Europe/London')::date")),
        ),
    ]
