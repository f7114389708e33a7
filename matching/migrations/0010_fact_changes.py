"""Which rows of the facts came, changed or went, in which transaction: so that what a process holds in memory can be brought up to date."""

import django.db.models.functions.datetime
from django.db import migrations, models

import core.models

TRIGGERS = """
CREATE FUNCTION matching_note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO matching_factchange (pool_id) SELECT pool_id FROM old_rows ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO matching_factchange (pool_id) SELECT pool_id FROM new_rows ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER matching_noted_insert AFTER INSERT ON matching_poolfact REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION matching_note_changes();
CREATE TRIGGER matching_noted_update AFTER UPDATE ON matching_poolfact REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION matching_note_changes();
CREATE TRIGGER matching_noted_delete AFTER DELETE ON matching_poolfact REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION matching_note_changes();
"""
DROP = """
DROP TRIGGER matching_noted_insert ON matching_poolfact;
DROP TRIGGER matching_noted_update ON matching_poolfact;
DROP TRIGGER matching_noted_delete ON matching_poolfact;
DROP FUNCTION matching_note_changes;
"""


class Migration(migrations.Migration):
    dependencies = [("matching", "0009_sessions_and_waits"), ("core", "0001_extensions")]
    operations = [
        migrations.CreateModel(
            name="FactChange",
            fields=[
                ("pk", models.CompositePrimaryKey("xid", "pool_id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("xid", core.models.Xid8Field(db_default=core.models.PgCurrentXactId(), editable=False)),
                ("pool_id", models.UUIDField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RunSQL(TRIGGERS, DROP),
    ]
