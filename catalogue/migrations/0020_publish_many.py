"""Telling of many services at once takes a time that grows with their number, not with its square.

Which of them are public is asked once, by their ids. Asked again for each of them, an empty catalogue that has not been counted yet was
read whole each time: four seconds of the demonstration region, and hours of a first import of a hundred thousand.
"""

from importlib import import_module

from django.db import migrations

parts = import_module("catalogue.migrations.0007_publication_changes")

PUBLISH = f"""
CREATE OR REPLACE FUNCTION catalogue_publish(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    shown uuid[];
    hidden uuid[];
BEGIN
    IF coalesce(cardinality(services), 0) = 0 THEN
        RETURN;
    END IF;
    PERFORM FROM catalogue_service WHERE id = ANY (services) ORDER BY id FOR NO KEY UPDATE;
    shown := ARRAY(SELECT s.id {parts.PUBLIC} AND s.id = ANY (services));
    hidden := ARRAY(SELECT unnest(services) EXCEPT SELECT unnest(shown));
    INSERT INTO catalogue_publicationchange AS p (service_id, xid, first_xid, changed_at, is_public)
    SELECT id, pg_current_xact_id(), pg_current_xact_id(), clock_timestamp(), true FROM unnest(shown) AS id
    ON CONFLICT (service_id) DO UPDATE SET xid = excluded.xid, changed_at = excluded.changed_at, is_public = true;
    IF cardinality(hidden) = 0 THEN
        RETURN;
    END IF;
    -- Public for a moment inside one transaction is not public: nobody saw it, and nobody is told that it is gone.
    DELETE FROM catalogue_publicationchange WHERE service_id = ANY (hidden) AND first_xid = pg_current_xact_id();
    UPDATE catalogue_publicationchange SET xid = pg_current_xact_id(), changed_at = clock_timestamp(), is_public = false
    WHERE service_id = ANY (hidden) AND is_public;
END $$;
"""  # noqa: S608 (a constant of a migration)
START = parts.FUNCTIONS.index("CREATE FUNCTION catalogue_publish(")
BEFORE = parts.FUNCTIONS[START : parts.FUNCTIONS.index("END $$;", START) + len("END $$;")].replace("CREATE", "CREATE OR REPLACE", 1)


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0019_history_by_statement")]
    operations = [migrations.RunSQL(PUBLISH, BEFORE)]
