"""Areas that are ruled out or go first, lists of which a person must have one, and a second word for the needs that curators add."""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

facts = import_module("matching.migrations.0002_facts")
structured = import_module("matching.migrations.0007_structured_eligibility")

#: Bits of one word of a mask (`catalogue.vocabulary.WORD`).
WORD = 62
AREAS = ", ".join(
    f"array_agg(DISTINCT a.area_id ORDER BY a.area_id) FILTER (WHERE a.rule = '{rule}' AND a.area_id IS NOT NULL) AS areas_{name}"
    for name, rule in (("out", "excluded"), ("first", "preferred"))
)
#: 1: some outline is ruled out; 2: people in some outline go first.
DRAWN = "nullif(bit_or((a.rule = 'excluded')::int + 2 * (a.rule = 'preferred')::int) FILTER (WHERE a.extent IS NOT NULL), 0) AS drawn"
MUST = ", ".join(
    f"bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'required' AND x.slug = '{slug}' AND t.bit < {WORD}) AS {name}_must"
    for name, slug in structured.LISTS.items()
)
OWN = ", ".join(
    f"bit_or(1::bigint << t.bit - {WORD}) FILTER (WHERE c.rule {rule} AND x.slug = 'need' AND t.bit >= {WORD}) AS own_{name}"
    for name, rule in (("accepts", "<> 'excluded'"), ("requires", "= 'required'"), ("excludes", "= 'excluded'"), ("prefers", "= 'preferred'"))
)
SAID = [f"r.areas_{part}" for part in ("out", "first")] + ["r.drawn"] + [f"n.{name}_must" for name in structured.LISTS]
SAID += [f"n.own_{name}" for name in ("accepts", "requires", "excludes", "prefers")]
NEW = [column.split(".")[1] for column in SAID]
JOINS = f"""
LEFT JOIN LATERAL (
    SELECT {AREAS}, {DRAWN} FROM catalogue_servicearea a WHERE a.service_id = s.id AND a.rule <> 'required'
) r ON true
LEFT JOIN LATERAL (
    SELECT {MUST}, {OWN}
    FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id
    WHERE c.service_id = s.id AND t.bit IS NOT NULL AND x.slug IN ('need', 'funding', 'language', 'referral-source')
) n ON true
"""

BEFORE = structured.AFTER
AFTER = BEFORE
for old, new in (
    ("a.service_id = s.id AND a.area_id IS NOT NULL)", "a.service_id = s.id AND a.area_id IS NOT NULL AND a.rule = 'required')"),
    ("a.service_id = s.id AND a.extent IS NOT NULL)", "a.service_id = s.id AND a.extent IS NOT NULL AND a.rule = 'required')"),
    ("t.bit IS NOT NULL AND x.slug", f"t.bit < {WORD} AND x.slug"),
    (f"num_nonnulls({', '.join(structured.SAID)})", f"num_nonnulls({', '.join([*structured.SAID, *SAID])})"),
    (" AS coded\nFROM capacity_servicecapacity p\n", f" AS coded,\n    {', '.join(SAID)}\nFROM capacity_servicecapacity p\n"),
    ("WHERE s.merged_into_id IS NULL", f"{JOINS.strip()}\nWHERE s.merged_into_id IS NULL"),
):
    if old not in AFTER:
        raise ValueError(f"The view has no {old!r}.")
    AFTER = AFTER.replace(old, new)

COLUMNS = [*structured.COLUMNS, *NEW]
WRITE = f"""
    INSERT INTO matching_poolfact AS f (pool_id, {", ".join(COLUMNS)})
    SELECT pool_id, {", ".join(COLUMNS)} FROM matching_poolfact_source
    {{where}}
    ON CONFLICT (pool_id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
    WHERE ({", ".join(f"f.{c}" for c in COLUMNS)}) IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)})
"""


def with_columns(name):
    """A function of the migration before, writing the new columns too."""
    text = structured.with_columns(name)
    for where in ("WHERE service_id = ANY (services)", "ORDER BY care_type, point"):
        text = text.replace(structured.WRITE.format(where=where), WRITE.format(where=where))
    return text


REFRESHES = ("matching_refresh", "matching_refresh_all")
FORWARD = [AFTER, *map(with_columns, REFRESHES)]
#: A view cannot lose columns: it is made anew.
BACK = ["DROP VIEW matching_poolfact_source;", BEFORE, *map(structured.with_columns, REFRESHES)]


def array():
    return django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), null=True, size=None)


class Migration(migrations.Migration):
    dependencies = [("matching", "0007_structured_eligibility"), ("catalogue", "0016_criteria_of_areas_and_own_terms")]
    operations = [
        migrations.AlterField(
            "poolfact", "coded", models.BooleanField(default=False, help_text="Says something of what follows, but for `marks_until`.")
        ),
        migrations.AddField("poolfact", "areas_out", array()),
        migrations.AddField("poolfact", "areas_first", array()),
        migrations.AddField(
            "poolfact",
            "drawn",
            models.SmallIntegerField(null=True, help_text="1: an area drawn by hand is ruled out; 2: people in one go first; 3: both."),
        ),
        *(
            migrations.AddField("poolfact", name, models.BigIntegerField(null=True))
            for name in ("funding_must", "languages_must", "sources_must", "own_accepts", "own_requires", "own_excludes", "own_prefers")
        ),
        migrations.RunSQL(FORWARD, BACK),
        migrations.RunSQL("SELECT matching_refresh_all()", migrations.RunSQL.noop),
    ]
