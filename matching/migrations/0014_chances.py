"""What a pool leans to becomes part of the facts while something learned is switched on."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: The view that the facts are refreshed from does not know of it: a refresh leaves it alone, and a row that comes looks it up.
TRIGGERS = """
CREATE FUNCTION matching_lean() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT c.leaning, c.said_yes, c.answers INTO NEW.leaning, NEW.said_yes, NEW.answers
    FROM matching_poolchance c WHERE c.pool_id = NEW.pool_id;
    RETURN NEW;
END $$;
CREATE TRIGGER matching_leans BEFORE INSERT ON matching_poolfact FOR EACH ROW EXECUTE FUNCTION matching_lean();

CREATE FUNCTION matching_on_chance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE matching_poolfact f SET leaning = NULL, said_yes = NULL, answers = NULL FROM old_rows o WHERE f.pool_id = o.pool_id;
    ELSE
        UPDATE matching_poolfact f SET leaning = n.leaning, said_yes = n.said_yes, answers = n.answers FROM new_rows n
        WHERE f.pool_id = n.pool_id AND (f.leaning, f.said_yes, f.answers) IS DISTINCT FROM (n.leaning, n.said_yes, n.answers);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER matching_insert AFTER INSERT ON matching_poolchance REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION matching_on_chance();
CREATE TRIGGER matching_update AFTER UPDATE ON matching_poolchance REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION matching_on_chance();
CREATE TRIGGER matching_delete AFTER DELETE ON matching_poolchance REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION matching_on_chance();
"""
DROP = """
DROP TRIGGER matching_leans ON matching_poolfact;
DROP FUNCTION matching_lean;
DROP FUNCTION matching_on_chance CASCADE;
UPDATE matching_weightset SET weights = weights - 'likelihood' WHERE weights ? 'likelihood';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("capacity", "0013_limits"),
        ("matching", "0013_support_and_ledger"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PoolChance",
            fields=[
                (
                    "pool",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="chance",
                        serialize=False,
                        to="capacity.servicecapacity",
                    ),
                ),
                ("leaning", models.SmallIntegerField(help_text="In thousandths of a logit.")),
                (
                    "said_yes",
                    models.SmallIntegerField(
                        help_text="Of how many requests for this kind of care the service said yes to; 9,999 at most."
                    ),
                ),
                ("answers", models.SmallIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="poolfact",
            name="answers",
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="leaning",
            field=models.SmallIntegerField(help_text="What the service leans to, in thousandths of a logit.", null=True),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="said_yes",
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="weightset",
            name="chances",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, help_text="What `engine.likelihood` takes; empty: nothing learned is switched on."
            ),
        ),
        migrations.AddConstraint(
            model_name="weightset",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("weights__likelihood__gt", 0), _negated=True), ("chances__has_key", "table"), _connector="OR"),
                name="no_points_for_a_guess",
                violation_error_message="How likely a yes is may count only while a version that was learned is switched on.",
            ),
        ),
        migrations.AddConstraint(
            model_name="poolchance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answers__gte", models.F("said_yes")), ("answers__lte", 9999), ("leaning__range", (-6000, 6000)), ("said_yes__gte", 0)
                ),
                name="chance_adds_up",
                violation_error_message="A service cannot have said yes more often than it was asked.",
            ),
        ),
        migrations.RunSQL(TRIGGERS, DROP),
    ]
