"""The history's triggers ask who is at work without an exception to catch: a block that may catch one costs more than the row it writes.

The same answer as the function of pghistory that it takes the place of: the context of this transaction, written once, or none.
"""

from django.db import migrations

ATTACH = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    id_ uuid := nullif(current_setting('pghistory.context_id', true), '')::uuid;
    metadata_ jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb;
BEGIN
    IF id_ IS NULL OR metadata_ IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at) VALUES (id_, metadata_, now(), now())
    ON CONFLICT (id) DO UPDATE SET metadata = excluded.metadata, updated_at = excluded.updated_at
    WHERE pghistory_context.metadata <> excluded.metadata;
    RETURN id_;
END $$;
"""


def back(apps, schema_editor):
    from pghistory.models import Context

    Context.install_pgh_attach_context_func(using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("core", "0002_initial"), ("pghistory", "0007_auto_20250421_0444")]
    operations = [migrations.RunSQL(ATTACH, migrations.RunSQL.noop), migrations.RunPython(migrations.RunPython.noop, back)]
