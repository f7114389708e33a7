from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0008_own_entries'),
    ]

    operations = [
        migrations.CreateModel(
            name='DuplicateSearch',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('since', models.DateTimeField(blank=True, help_text='Only services changed since then were compared; empty: all.', null=True)),
                ('services', models.PositiveIntegerField(default=0, help_text='How many were compared with their like.')),
                ('pairs', models.PositiveIntegerField(default=0, help_text='How many pairs were compared.')),
                ('found', models.PositiveIntegerField(default=0, help_text='How many of them a person should look at.')),
                ('passed_over', models.PositiveIntegerField(default=0, help_text='Groups too large to compare each with each.')),
            ],
            options={
                'ordering': ['-started_at'],
            },
        ),
        migrations.AlterConstraint(
            model_name='duplicatecandidate',
            name='pair_in_order',
            constraint=models.CheckConstraint(condition=models.Q(('one__lt', models.F('other'))), name='pair_in_order', violation_error_message='A pair names two services, the smaller id first.'),
        ),
    ]
