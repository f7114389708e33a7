"""Which services this transaction has told of already is asked by their ids, however many the journal holds and whenever it was counted."""

from importlib import import_module

from django.db import migrations

journal = import_module("catalogue.migrations.0007_publication_changes").FUNCTIONS

PARTS = """
CREATE OR REPLACE FUNCTION catalogue_publish_parts(services uuid[]) RETURNS void LANGUAGE sql AS $$
    SELECT catalogue_publish(ARRAY(
        SELECT id FROM unnest(services) AS id WHERE id IS NOT NULL
        EXCEPT
        SELECT service_id FROM catalogue_publicationchange
        WHERE service_id = ANY (services) AND is_public AND xid = pg_current_xact_id()))
$$;
"""
START = journal.index("CREATE FUNCTION catalogue_publish_parts(")
BEFORE = journal[START : journal.index("$$;", START) + len("$$;")].replace("CREATE", "CREATE OR REPLACE", 1)


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0021_words_of_names")]
    operations = [migrations.RunSQL(PARTS, BEFORE)]
