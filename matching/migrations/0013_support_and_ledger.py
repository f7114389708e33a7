import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

#: What was noted before had no day and no digest: each row counts as a need of its own.
BACKFILL = """
UPDATE matching_unmetneed SET "on" = (at AT TIME ZONE 'Europe/London')::date, digest = replace(id::text, '-', '')
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0029_isolated"), ("matching", "0012_travel_and_times")]

    operations = [
        migrations.CreateModel(
            name="Tariff",
            fields=[
                (
                    "code",
                    models.CharField(
                        help_text="A code of the care types: pounds a week; or bed-day: pounds a day.",
                        max_length=100,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("pounds", models.DecimalField(decimal_places=2, max_digits=8)),
                ("note", models.CharField(blank=True, help_text="Where the figure is from, and of which year.", max_length=200)),
            ],
            options={
                "ordering": ["code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pounds__gte", 0)),
                        name="no_tariff_below_nothing",
                        violation_error_message="A tariff cannot be less than nothing.",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="matchrun",
            name="because",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                blank=True,
                default=list,
                help_text="Codes of the rules that suggested a support.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="matchrun",
            name="part",
            field=models.CharField(
                blank=True,
                default="",
                help_text="“package”, or a code of `matching.support`; empty: stands by itself.",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="matchrun",
            name="part_of",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="matching.matchrun"
            ),
        ),
        migrations.AddField(
            model_name="needprofile",
            name="activation_level",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Of the Patient Activation Measure, 1 to 4: the level alone, none of its questions.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="needprofile",
            name="all_wanted",
            field=models.BooleanField(db_default=False, default=False, help_text="One service of each kind is wanted, not one of any."),
        ),
        migrations.AddField(
            model_name="needprofile",
            name="carried_only",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Only services that say they take one of `conditions`."
            ),
        ),
        migrations.AddConstraint(
            model_name="needprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("activation_level", None), ("activation_level__range", (1, 4)), _connector="OR"),
                name="activation_level_of_four",
                violation_error_message="Give the activation level as a number from 1 to 4.",
            ),
        ),
        migrations.AddField(model_name="unmetneed", name="on", field=models.DateField(null=True)),
        migrations.AddField(model_name="unmetneed", name="digest", field=models.CharField(max_length=64, null=True)),
        migrations.AddField(
            model_name="unmetneed",
            name="in_hospital",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Looked for by a hospital: somebody lies in a bed meanwhile."
            ),
        ),
        migrations.AddField(
            model_name="unmetneed",
            name="resolved_at",
            field=models.DateTimeField(help_text="When a later search for the same need found somebody.", null=True),
        ),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.AlterField(model_name="unmetneed", name="on", field=models.DateField()),
        migrations.AlterField(model_name="unmetneed", name="digest", field=models.CharField(max_length=64)),
        migrations.AddConstraint(
            model_name="unmetneed",
            constraint=models.UniqueConstraint(
                fields=("organization", "digest", "on"),
                name="unmet_need_once_a_day",
                violation_error_message="This need is in the ledger for that day already.",
            ),
        ),
        migrations.AddIndex(model_name="unmetneed", index=models.Index(fields=["on"], name="unmet_by_day")),
    ]
