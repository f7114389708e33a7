"""What searches compare, kept by triggers: a bulk import, a script and the administrator's site are searched alike.

A statement that touches few services is followed at once. One that touches many notes them instead, and so does all that follows in its
transaction; they are packed once each when it commits, not once for each table that an import fills.
"""

import django.contrib.gis.db.models.fields
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

VIEW = """
CREATE VIEW catalogue_servicesearch_source AS
SELECT
    s.id AS service_id,
    (s.status = 'active' AND s.merged_into_id IS NULL AND NOT s.is_confidential AND NOT s.is_internal AND NOT o.is_confidential) AS is_public,
    s.name,
    lower(concat_ws(' ', s.name, nullif(s.alternate_name, ''), o.name, array_to_string(place.towns, ' '))) AS names,
    setweight(to_tsvector('english', concat_ws(' ', s.name, s.alternate_name)), 'A')
        || to_tsvector('english', concat_ws(' ', o.name, array_to_string(place.towns, ' '), kind.name, term.words, left(s.description, 3000)))
        || array_to_tsvector(array_remove(
            coalesce(term.marks, '{}') || coalesce(due.marks, '{}') || ARRAY[
                '#t' || left(replace(s.care_type_id::text, '-', ''), 12),
                CASE WHEN s.price_week = 0 OR term.is_free
                     OR EXISTS (SELECT FROM catalogue_costoption c WHERE c.service_id = s.id AND c.amount = 0) THEN '#free' END,
                CASE WHEN place.is_virtual OR (kind.code = 'digital-service' AND kind.slug = 'care-type') THEN '#online' END
            ], NULL)) AS words,
    coalesce(place.towns, '{}')::varchar(100)[] AS towns,
    place.points,
    e.minimum_age,
    e.maximum_age,
    s.assured_date AS assured_on
FROM catalogue_service s
JOIN catalogue_organization o ON o.id = s.organization_id
LEFT JOIN catalogue_eligibility e ON e.service_id = s.id
LEFT JOIN LATERAL (
    SELECT t.name, t.code, x.slug FROM catalogue_taxonomyterm t JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE t.id = s.care_type_id
) kind ON true
LEFT JOIN LATERAL (
    SELECT
        array_agg(CASE WHEN c.rule = 'excluded' THEN '#x' ELSE '#t' END || left(replace(t.id::text, '-', ''), 12)) AS marks,
        string_agg(CASE WHEN c.rule <> 'excluded' AND x.slug IN ('need', 'own') THEN t.name END, ' ') AS words,
        bool_or(x.slug = 'funding' AND t.code = 'free') AS is_free
    FROM (
        SELECT term_id, rule FROM catalogue_eligibilitycriterion WHERE service_id = s.id
        UNION ALL SELECT taxonomyterm_id, 'own' FROM catalogue_service_taxonomy_terms WHERE service_id = s.id
    ) c
    JOIN catalogue_taxonomyterm t ON t.id = c.term_id
    JOIN LATERAL (SELECT CASE WHEN c.rule = 'own' THEN 'own' ELSE x.slug END AS slug FROM catalogue_taxonomy x WHERE x.id = t.taxonomy_id) x ON true
) term ON true
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT mark) AS marks
    FROM catalogue_schedule d
    CROSS JOIN LATERAL regexp_matches(upper(d.byday), '(MO|TU|WE|TH|FR|SA|SU)', 'g') AS day
    CROSS JOIN LATERAL unnest(ARRAY[
        '#d' || lower(day[1]),
        CASE WHEN d.opens_at IS NULL OR d.opens_at < '12:00' THEN '#d' || lower(day[1]) || 'am' END,
        CASE WHEN d.opens_at IS NULL OR (d.opens_at < '17:00'
             AND (d.opens_at >= '12:00' OR d.closes_at > '12:00' OR d.closes_at <= d.opens_at)) THEN '#d' || lower(day[1]) || 'pm' END,
        CASE WHEN d.opens_at IS NULL OR d.opens_at >= '17:00' OR d.closes_at > '17:00' OR d.closes_at <= d.opens_at
             THEN '#d' || lower(day[1]) || 'eve' END
    ]) AS mark
    WHERE d.service_id = s.id
) due ON true
LEFT JOIN LATERAL (
    SELECT
        ST_Multi(ST_Collect(DISTINCT l.point))::geometry(MultiPoint, 27700) AS points,
        array_agg(DISTINCT a.city ORDER BY a.city) FILTER (WHERE a.city <> '') AS towns,
        bool_or(l.location_type = 'virtual') AS is_virtual
    FROM catalogue_serviceatlocation at
    JOIN catalogue_location l ON l.id = at.location_id
    LEFT JOIN catalogue_address a ON a.location_id = l.id
    WHERE at.service_id = s.id AND NOT l.is_confidential AND NOT s.is_confidential AND NOT o.is_confidential
) place ON true
"""

COLUMNS = "is_public name names words towns points minimum_age maximum_age assured_on".split()

FUNCTIONS = f"""
CREATE UNLOGGED TABLE catalogue_servicesearch_due (xid xid8 NOT NULL DEFAULT pg_current_xact_id(), services uuid[] NOT NULL);

CREATE FUNCTION catalogue_search_pack(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM catalogue_service WHERE id = ANY (services) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO catalogue_servicesearch AS f (service_id, {", ".join(COLUMNS)})
    SELECT service_id, {", ".join(COLUMNS)} FROM catalogue_servicesearch_source WHERE service_id = ANY (services) ORDER BY service_id
    ON CONFLICT (service_id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
    WHERE ({", ".join(f"f.{c}" for c in COLUMNS)}) IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)});
    DELETE FROM catalogue_servicesearch f WHERE f.service_id = ANY (services)
        AND NOT EXISTS (SELECT FROM catalogue_service s WHERE s.id = f.service_id);
END $$;

CREATE FUNCTION catalogue_search_refresh(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(cardinality(services), 0) = 0 THEN
        RETURN;
    END IF;
    IF cardinality(services) <= 100 AND coalesce(current_setting('lune.search_due', true), '') <> 'on' THEN
        PERFORM catalogue_search_pack(services);
        RETURN;
    END IF;
    PERFORM set_config('lune.search_due', 'on', true);
    INSERT INTO catalogue_servicesearch_due (services) VALUES (services);
END $$;

-- Runs when the transaction commits, once for each note; the first packs what all of them name.
CREATE FUNCTION catalogue_search_settle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    everything uuid[];
BEGIN
    IF coalesce(current_setting('lune.search_due', true), '') <> 'on' THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('lune.search_due', '', true);
    WITH gone AS (DELETE FROM catalogue_servicesearch_due WHERE xid = pg_current_xact_id() RETURNING services)
    SELECT array_agg(DISTINCT id ORDER BY id) INTO everything FROM gone, unnest(services) AS id;
    FOR n IN 1 .. coalesce(cardinality(everything), 0) BY 5000 LOOP
        PERFORM catalogue_search_pack(everything[n : n + 4999]);
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER search_settle AFTER INSERT ON catalogue_servicesearch_due
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalogue_search_settle();

CREATE FUNCTION catalogue_search_on_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM catalogue_search_refresh(ARRAY(SELECT id FROM new_rows));
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM catalogue_servicesearch WHERE service_id IN (SELECT id FROM old_rows);
    ELSE
        PERFORM catalogue_search_refresh(ARRAY(
            SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
            WHERE (n.organization_id, n.name, n.alternate_name, n.description, n.status, n.care_type_id, n.price_week, n.is_confidential,
                   n.is_internal, n.merged_into_id, n.assured_date)
                  IS DISTINCT FROM
                  (o.organization_id, o.name, o.alternate_name, o.description, o.status, o.care_type_id, o.price_week, o.is_confidential,
                   o.is_internal, o.merged_into_id, o.assured_date)));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_search_on_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM catalogue_search_refresh(ARRAY(SELECT DISTINCT service_id FROM new_rows));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM catalogue_search_refresh(ARRAY(SELECT DISTINCT service_id FROM old_rows));
    ELSE
        PERFORM catalogue_search_refresh(ARRAY(SELECT service_id FROM new_rows UNION SELECT service_id FROM old_rows));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_search_on_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_search_refresh(ARRAY(
        SELECT s.id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_service s ON s.organization_id = n.id
        WHERE (n.name, n.is_confidential) IS DISTINCT FROM (o.name, o.is_confidential)));
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_search_on_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_search_refresh(ARRAY(
        SELECT DISTINCT a.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_serviceatlocation a ON a.location_id = n.id
        WHERE (n.location_type, n.is_confidential) IS DISTINCT FROM (o.location_type, o.is_confidential) OR n.point IS DISTINCT FROM o.point));
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_search_on_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM catalogue_search_refresh(ARRAY(
            SELECT DISTINCT a.service_id FROM new_rows n JOIN catalogue_serviceatlocation a USING (location_id)));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM catalogue_search_refresh(ARRAY(
            SELECT DISTINCT a.service_id FROM old_rows o JOIN catalogue_serviceatlocation a USING (location_id)));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_search_on_term() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    terms uuid[] := ARRAY(SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
                          WHERE (n.name, n.code, n.taxonomy_id) IS DISTINCT FROM (o.name, o.code, o.taxonomy_id));
BEGIN
    IF cardinality(terms) > 0 THEN
        PERFORM catalogue_search_refresh(ARRAY(
            SELECT id FROM catalogue_service WHERE care_type_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_service_taxonomy_terms WHERE taxonomyterm_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_eligibilitycriterion WHERE term_id = ANY (terms)));
    END IF;
    RETURN NULL;
END $$;
"""

REFERENCING = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
ALWAYS = ("INSERT", "UPDATE", "DELETE")
PARTS = ("eligibility", "eligibilitycriterion", "costoption", "schedule", "serviceatlocation", "service_taxonomy_terms")
#: Table, events, function. Named so that they fire after the triggers that lock a new place (`lock_place`).
TRIGGERS = [
    ("service", ALWAYS, "service"),
    *((part, ALWAYS, "part") for part in PARTS),
    ("organization", ("UPDATE",), "organization"),
    ("location", ("UPDATE",), "location"),
    ("address", ALWAYS, "address"),
    ("taxonomyterm", ("UPDATE",), "term"),
]
CREATE = "\n".join(
    f"CREATE TRIGGER search_{event.lower()} AFTER {event} ON catalogue_{table} REFERENCING {REFERENCING[event]} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_{function}();"
    for table, events, function in TRIGGERS
    for event in events
)
DROP = "\n".join(
    [
        *(f"DROP TRIGGER search_{event.lower()} ON catalogue_{table};" for table, events, _ in TRIGGERS for event in events),
        f"DROP FUNCTION {', '.join(sorted({f'catalogue_search_on_{function}' for _, _, function in TRIGGERS}))};",
        "DROP TABLE catalogue_servicesearch_due;",
        "DROP FUNCTION catalogue_search_settle, catalogue_search_refresh, catalogue_search_pack;",
        "DROP VIEW catalogue_servicesearch_source;",
    ]
)
FILL = "SELECT catalogue_search_pack(ARRAY(SELECT id FROM catalogue_service))"


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0012_more_vocabulary"),
        ("core", "0001_extensions"),
    ]
    operations = [
        migrations.CreateModel(
            name="ServiceSearch",
            fields=[
                (
                    "service",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="search",
                        serialize=False,
                        to="catalogue.service",
                    ),
                ),
                ("is_public", models.BooleanField()),
                ("name", models.CharField(max_length=255)),
                ("names", models.TextField(help_text="Names and towns in small letters, for slips of spelling.")),
                (
                    "words",
                    django.contrib.postgres.search.SearchVectorField(
                        help_text="Words, and marks: terms (#t), those it excludes (#x), days (#d), #free, #online."
                    ),
                ),
                (
                    "towns",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None),
                ),
                ("points", django.contrib.gis.db.models.fields.MultiPointField(null=True, srid=27700)),
                ("minimum_age", models.PositiveSmallIntegerField(null=True)),
                ("maximum_age", models.PositiveSmallIntegerField(null=True)),
                ("assured_on", models.DateField(null=True)),
            ],
            options={
                "verbose_name_plural": "service searches",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["words"], gin_pending_list_limit=256, name="search_words"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["names"], gin_pending_list_limit=256, name="search_names", opclasses=["gin_trgm_ops"]
                    ),
                    models.Index(
                        models.OrderBy(models.F("assured_on"), descending=True, nulls_last=True),
                        models.F("name"),
                        models.F("service"),
                        name="search_order",
                    ),
                ],
            },
        ),
        migrations.RunSQL([VIEW, FUNCTIONS, CREATE], [DROP]),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
