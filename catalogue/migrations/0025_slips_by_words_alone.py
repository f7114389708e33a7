"""Slips of spelling are looked for among the different words of names alone, so that names themselves need no index for it.

That index was most of the work of packing a service. Words of three letters are known too: one may be half of two run together.
"""

from django.db import migrations

WORDS = """
DROP MATERIALIZED VIEW catalogue_searchword;
CREATE MATERIALIZED VIEW catalogue_searchword AS
SELECT word, bool_or(is_public) AS is_public, count(*) AS services
FROM catalogue_servicesearch, unnest(tsvector_to_array(to_tsvector('simple', names))) AS word
WHERE word ~ '^[[:alpha:]]{%s,40}$' GROUP BY word;
CREATE UNIQUE INDEX searchword_word ON catalogue_searchword (word);
CREATE INDEX searchword_alike ON catalogue_searchword USING gin (word gin_trgm_ops) WITH (fastupdate = off);
"""


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0024_codes_that_were_looked_up")]
    operations = [
        migrations.RunSQL(WORDS % 3, WORDS % 4),
        migrations.RemoveIndex(model_name="servicesearch", name="search_names"),
    ]
