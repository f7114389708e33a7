"""What few services say becomes part of the facts: diagnoses, where people are registered, whom lists rule out or take first, marks.

Ruled out and accepted are told apart for who pays, languages and who refers; one that is required or taken first is accepted too.
"""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

from matching import reference

facts = import_module("matching.migrations.0002_facts")
doubles = import_module("matching.migrations.0006_doubles_and_overdue_records")

LISTS = {"funding": "funding", "languages": "language", "sources": "referral-source"}
#: Schemes of marks in the order of `catalogue.marks.WISHES`; the review of an app counts from 65% on.
SCHEMES = ("ncvo", "qismet", "app-review")


def chosen(rule: str, slug: str) -> str:
    return f"FILTER (WHERE c.rule {rule} AND x.slug = '{slug}')"


CODES = ", ".join(
    f"array_agg(t.code ORDER BY t.code) {chosen(rule, 'condition')} AS conditions_{name}"
    for name, rule in (("in", "= 'required'"), ("out", "= 'excluded'"), ("ok", "<> 'excluded'"), ("first", "= 'preferred'"))
)
MASKS = ", ".join(
    f"bit_or(1::bigint << t.bit) {chosen(rule, slug)} AS {name}_{part}"
    for part, rule in (("out", "= 'excluded'"), ("first", "= 'preferred'"))
    for name, slug in LISTS.items()
)
REGISTERED = ", ".join(
    f"array_agg(r.kind || '|' || r.code ORDER BY r.kind, r.code) FILTER (WHERE r.rule = '{rule}') AS registered_{name}"
    for name, rule in (("in", "required"), ("out", "excluded"), ("first", "preferred"))
)
UNTIL = ", ".join(f"max(coalesce(q.expires_on, '9999-12-31')) FILTER (WHERE q.scheme = '{scheme}')" for scheme in SCHEMES)
JOINS = f"""
LEFT JOIN LATERAL (
    SELECT {CODES}, {MASKS}
    FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id
    WHERE c.service_id = s.id AND x.slug IN ('condition', 'funding', 'language', 'referral-source')
) k ON true
LEFT JOIN LATERAL (SELECT {REGISTERED} FROM catalogue_registrationcriterion r WHERE r.service_id = s.id) g ON true
LEFT JOIN LATERAL (
    SELECT CASE WHEN count(*) > 0 THEN ARRAY[{UNTIL}] END AS marks_until
    FROM catalogue_qualitymark q
    WHERE (q.service_id = s.id OR q.organization_id = s.organization_id) AND q.scheme IN {SCHEMES}
      AND (q.scheme <> 'app-review' OR q.score >= 0.65 * q.out_of)
) m ON true
"""
SAID = [f"k.conditions_{part}" for part in ("in", "out", "ok", "first")] + [f"g.registered_{part}" for part in ("in", "out", "first")]
SAID += [f"k.{name}_{part}" for part in ("out", "first") for name in LISTS]
NEW = [column.split(".")[1] for column in SAID] + ["marks_until", "coded"]

BEFORE = doubles.AFTER
AFTER = BEFORE.replace(
    "\nFROM capacity_servicecapacity p\n",
    f",\n    {', '.join(SAID)}, m.marks_until,\n    (num_nonnulls({', '.join(SAID)}) > 0) AS coded\nFROM capacity_servicecapacity p\n",
).replace("WHERE s.merged_into_id IS NULL", f"{JOINS.strip()}\nWHERE s.merged_into_id IS NULL")
for slug in LISTS.values():
    AFTER = AFTER.replace(
        facts.MASK.format(slug=slug, rules="'accepts'"), facts.MASK.format(slug=slug, rules="'accepts', 'required', 'preferred'")
    )

COLUMNS = [*facts.COLUMNS, *NEW]
WRITE = f"""
    INSERT INTO matching_poolfact AS f (pool_id, {", ".join(COLUMNS)})
    SELECT pool_id, {", ".join(COLUMNS)} FROM matching_poolfact_source
    {{where}}
    ON CONFLICT (pool_id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
    WHERE ({", ".join(f"f.{c}" for c in COLUMNS)}) IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)})
"""


def with_columns(name: str) -> str:
    """A function of the first migration, writing the new columns too."""
    text = facts.FUNCTIONS[facts.FUNCTIONS.index(f"CREATE FUNCTION {name}(") :]
    text = text[: text.index("END $$;") + len("END $$;")].replace("CREATE", "CREATE OR REPLACE", 1)
    for where in ("WHERE service_id = ANY (services)", "ORDER BY care_type, point"):
        text = text.replace(facts.WRITE.format(where=where), WRITE.format(where=where))
    return text


FUNCTIONS = f"""
{with_columns("matching_refresh")}
{with_columns("matching_refresh_all")}

CREATE FUNCTION matching_on_quality_mark() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rows catalogue_qualitymark[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        rows := ARRAY(SELECT n FROM new_rows n);
    ELSIF TG_OP = 'DELETE' THEN
        rows := ARRAY(SELECT o FROM old_rows o);
    ELSE
        rows := ARRAY(SELECT n FROM new_rows n UNION ALL SELECT o FROM old_rows o);
    END IF;
    PERFORM matching_refresh(ARRAY(
        SELECT s.id FROM catalogue_service s JOIN unnest(rows) q ON q.service_id = s.id UNION
        SELECT s.id FROM catalogue_service s JOIN unnest(rows) q ON q.organization_id = s.organization_id));
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_term() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT DISTINCT c.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_eligibilitycriterion c ON c.term_id = n.id
        WHERE (n.code, n.bit, n.taxonomy_id) IS DISTINCT FROM (o.code, o.bit, o.taxonomy_id)));
    RETURN NULL;
END $$;
"""
TRIGGERS = "\n".join(
    [
        *(facts.statement_trigger("catalogue_registrationcriterion", event, "matching_on_service_part") for event in facts.REFERENCING),
        *(facts.statement_trigger("catalogue_qualitymark", event, "matching_on_quality_mark") for event in facts.REFERENCING),
        facts.statement_trigger("catalogue_taxonomyterm", "UPDATE", "matching_on_term"),
    ]
)
DROP = "\n".join(
    [
        *(f"DROP TRIGGER matching_{event.lower()} ON catalogue_registrationcriterion;" for event in facts.REFERENCING),
        *(f"DROP TRIGGER matching_{event.lower()} ON catalogue_qualitymark;" for event in facts.REFERENCING),
        "DROP TRIGGER matching_update ON catalogue_taxonomyterm;",
        "DROP FUNCTION matching_on_quality_mark, matching_on_term;",
        # A view cannot lose columns: it is made anew.
        "DROP VIEW matching_poolfact_source;",
        BEFORE,
        *(
            facts.FUNCTIONS[start : facts.FUNCTIONS.index("END $$;", start) + len("END $$;")].replace("CREATE", "CREATE OR REPLACE", 1)
            for start in (facts.FUNCTIONS.index(f"CREATE FUNCTION {name}(") for name in ("matching_refresh", "matching_refresh_all"))
        ),
    ]
)


def load(apps, schema_editor):
    reference.load(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("matching", "0006_doubles_and_overdue_records"),
        ("catalogue", "0012_more_vocabulary"),
    ]

    operations = [
        migrations.AddField(
            model_name="needprofile",
            name="conditions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=100),
                blank=True,
                default=list,
                help_text="Diagnoses and guidelines, as system|code.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="needprofile",
            name="marks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                blank=True,
                default=list,
                help_text="Marks of quality that are wished for.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="needprofile",
            name="practice",
            field=models.CharField(blank=True, help_text="ODS code of the general practice where the person is registered.", max_length=10),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="coded",
            field=models.BooleanField(default=False, help_text="Says something of what follows up to `sources_first`."),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="conditions_first",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="conditions_in",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                help_text="Takes only people with one of these diagnoses, as system|code.",
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="conditions_ok",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), help_text="All diagnoses that it says it takes.", null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="conditions_out",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="funding_first",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="funding_out",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="languages_first",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="languages_out",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="marks_until",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.DateField(null=True),
                help_text="By bit of `catalogue.marks.WISHES`: its last day.",
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="registered_first",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="registered_in",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                help_text="Takes only people registered with one of these, as kind|code.",
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="registered_out",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="sources_first",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="poolfact",
            name="sources_out",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL([AFTER, FUNCTIONS, TRIGGERS], [DROP]),
        migrations.RunSQL("SELECT matching_refresh_all()", migrations.RunSQL.noop),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
