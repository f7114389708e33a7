"""The different words of names, for slips of spelling; and what searches compare is counted and tidied sooner than by a fifth of its rows.

Refreshed each hour by `catalogue.tasks.learn_words`. Numbers and short pieces are not misspelt words.
"""

from django.db import migrations

WORDS = """
CREATE MATERIALIZED VIEW catalogue_searchword AS
SELECT word, bool_or(is_public) AS is_public, count(*) AS services
FROM catalogue_servicesearch, unnest(tsvector_to_array(to_tsvector('simple', names))) AS word
WHERE word ~ '^[[:alpha:]]{4,40}$' GROUP BY word;
CREATE UNIQUE INDEX searchword_word ON catalogue_searchword (word);
CREATE INDEX searchword_alike ON catalogue_searchword USING gin (word gin_trgm_ops) WITH (fastupdate = off);
"""
# An import that changes many rows leaves the planner's figures old, and rows waiting beside the indexes, until the table is next seen to.
SEEN_TO = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"
LESS = ", ".join(part.split(" = ")[0] for part in SEEN_TO.split(", "))


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0020_publish_many")]
    operations = [
        migrations.RunSQL(WORDS, "DROP MATERIALIZED VIEW catalogue_searchword"),
        migrations.RunSQL(f"ALTER TABLE catalogue_servicesearch SET ({SEEN_TO})", f"ALTER TABLE catalogue_servicesearch RESET ({LESS})"),
    ]
