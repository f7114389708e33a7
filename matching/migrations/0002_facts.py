"""The packed facts keep themselves: a view says what they are, triggers bring them up to date in the transaction of the change.

Order of locks, the same everywhere: pool, then service, then fact. A refresh locks the services and their facts first
and computes in the next statement, whose snapshot then holds what the other transaction committed.
"""

import django.contrib.gis.db.models.fields
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

MASK = "(SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit IS NOT NULL AND x.slug = '{slug}' AND c.rule IN ({rules}))"

VIEW = f"""
CREATE VIEW matching_poolfact_source AS
SELECT
    p.id AS pool_id,
    p.service_id,
    ct.bit::smallint AS care_type,
    (p.is_open AND s.status = 'active') AS is_open,
    CASE WHEN l.point IS NOT NULL AND l.location_type <> 'virtual'
         THEN ST_SetSRID(ST_MakePoint(round(ST_X(l.point)), round(ST_Y(l.point))), 27700) END::geometry(Point, 27700) AS point,
    coalesce(l.location_type = 'virtual', false) AS online,
    coalesce(s.catchment_m, 2147483647) AS catchment_m,
    (SELECT array_agg(DISTINCT a.area_id) FROM catalogue_servicearea a WHERE a.service_id = s.id AND a.area_id IS NOT NULL) AS area_ids,
    {MASK.format(slug="need", rules="'accepts', 'required', 'preferred'")} AS accepts,
    {MASK.format(slug="need", rules="'required'")} AS requires,
    {MASK.format(slug="need", rules="'excluded'")} AS excludes,
    {MASK.format(slug="need", rules="'preferred'")} AS prefers,
    {MASK.format(slug="funding", rules="'accepts'")} AS funding,
    {MASK.format(slug="language", rules="'accepts'")} AS languages,
    {MASK.format(slug="referral-source", rules="'accepts'")} AS sources,
    e.minimum_age AS min_age,
    e.maximum_age AS max_age,
    (CASE e.sex WHEN 'female' THEN 1 WHEN 'male' THEN 2 WHEN 'any' THEN 3 ELSE 0 END)::smallint AS sex,
    (s.price_week * 100)::integer AS price_pence,
    s.cqc_rating,
    s.assured_date AS assured_on,
    p.available - p.held AS free,
    p.maximum,
    matching_status_code(p.status) AS status,
    p.reported_at,
    coalesce(extract(epoch FROM fp.fresh_for), 86400)::integer AS fresh_s,
    coalesce(extract(epoch FROM fp.expires_after), 259200)::integer AS expire_s,
    EXISTS (SELECT FROM catalogue_servicearea a WHERE a.service_id = s.id AND a.extent IS NOT NULL) AS has_extent
FROM capacity_servicecapacity p
JOIN catalogue_service s ON s.id = p.service_id
JOIN catalogue_taxonomyterm ct ON ct.id = p.care_type_id AND ct.bit IS NOT NULL
JOIN catalogue_taxonomy cx ON cx.id = ct.taxonomy_id AND cx.slug = 'care-type'
LEFT JOIN catalogue_location l ON l.id = p.location_id
LEFT JOIN catalogue_eligibility e ON e.service_id = s.id
LEFT JOIN capacity_freshnesspolicy fp ON fp.care_type_id = p.care_type_id
"""

STATUS = """
CREATE FUNCTION matching_status_code(status text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE status WHEN 'capacity' THEN 0 WHEN 'no-capacity' THEN 1 WHEN 'waitlist' THEN 2 ELSE 3 END)::smallint
$$
"""

COLUMNS = (
    "service_id care_type is_open point online catchment_m area_ids accepts requires excludes prefers funding languages sources "
    "min_age max_age sex price_pence cqc_rating assured_on free maximum status reported_at fresh_s expire_s has_extent"
).split()
WRITE = f"""
    INSERT INTO matching_poolfact AS f (pool_id, {", ".join(COLUMNS)})
    SELECT pool_id, {", ".join(COLUMNS)} FROM matching_poolfact_source
    {{where}}
    ON CONFLICT (pool_id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
    WHERE ({", ".join(f"f.{c}" for c in COLUMNS)}) IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)})
"""

FUNCTIONS = f"""
CREATE FUNCTION matching_refresh(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(services) = 0 OR current_setting('lune.defer_facts', true) = 'on' THEN
        RETURN;
    END IF;
    PERFORM FROM catalogue_service WHERE id = ANY (services) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM matching_poolfact WHERE service_id = ANY (services) ORDER BY pool_id FOR UPDATE;
    {WRITE.format(where="WHERE service_id = ANY (services)")};
    DELETE FROM matching_poolfact f WHERE f.service_id = ANY (services)
        AND NOT EXISTS (SELECT FROM matching_poolfact_source v WHERE v.pool_id = f.pool_id AND v.service_id = f.service_id);
END $$;

-- The order puts neighbours of one kind on the same pages, which halves the time of a search in a large city.
CREATE FUNCTION matching_refresh_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE matching_poolfact IN SHARE ROW EXCLUSIVE MODE;
    {WRITE.format(where="ORDER BY care_type, point")};
    DELETE FROM matching_poolfact f WHERE NOT EXISTS (SELECT FROM matching_poolfact_source v WHERE v.pool_id = f.pool_id);
END $$;

CREATE FUNCTION matching_on_pool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM matching_poolfact WHERE pool_id = OLD.id;
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM matching_refresh(ARRAY[NEW.service_id]);
    ELSIF (NEW.service_id, NEW.location_id, NEW.care_type_id, NEW.is_open)
          IS DISTINCT FROM (OLD.service_id, OLD.location_id, OLD.care_type_id, OLD.is_open) THEN
        PERFORM matching_refresh(ARRAY[OLD.service_id, NEW.service_id]);
    ELSE
        UPDATE matching_poolfact
        SET free = NEW.available - NEW.held, maximum = NEW.maximum, status = matching_status_code(NEW.status), reported_at = NEW.reported_at
        WHERE pool_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.status, n.catchment_m, n.price_week, n.cqc_rating, n.assured_date)
              IS DISTINCT FROM (o.status, o.catchment_m, o.price_week, o.cqc_rating, o.assured_date)));
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_service_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM matching_refresh(ARRAY(SELECT DISTINCT service_id FROM new_rows));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM matching_refresh(ARRAY(SELECT DISTINCT service_id FROM old_rows));
    ELSE
        PERFORM matching_refresh(ARRAY(SELECT service_id FROM new_rows UNION SELECT service_id FROM old_rows));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT DISTINCT p.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN capacity_servicecapacity p ON p.location_id = n.id
        WHERE n.location_type <> o.location_type OR n.point IS DISTINCT FROM o.point));
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_freshness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT DISTINCT p.service_id FROM capacity_servicecapacity p
        WHERE p.care_type_id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.care_type_id END, CASE WHEN TG_OP <> 'INSERT' THEN OLD.care_type_id END)));
    RETURN NULL;
END $$;
"""

REFERENCING = {"INSERT": "NEW TABLE AS new_rows", "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows"}


def statement_trigger(table, event, function):
    return (
        f"CREATE TRIGGER matching_{event.lower()} AFTER {event} ON {table} REFERENCING {REFERENCING[event]} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}();"
    )


PARTS = ("catalogue_eligibility", "catalogue_eligibilitycriterion", "catalogue_servicearea")
TRIGGERS = "\n".join(
    [
        "CREATE TRIGGER matching_fact AFTER INSERT OR UPDATE OR DELETE ON capacity_servicecapacity FOR EACH ROW EXECUTE FUNCTION matching_on_pool();",
        "CREATE TRIGGER matching_fact AFTER INSERT OR UPDATE OR DELETE ON capacity_freshnesspolicy FOR EACH ROW EXECUTE FUNCTION matching_on_freshness();",
        statement_trigger("catalogue_service", "UPDATE", "matching_on_service"),
        statement_trigger("catalogue_location", "UPDATE", "matching_on_location"),
        *(statement_trigger(table, event, "matching_on_service_part") for table in PARTS for event in REFERENCING),
    ]
)
DROP = "\n".join(
    [
        "DROP TRIGGER matching_fact ON capacity_servicecapacity; DROP TRIGGER matching_fact ON capacity_freshnesspolicy;",
        "DROP TRIGGER matching_update ON catalogue_service; DROP TRIGGER matching_update ON catalogue_location;",
        *(f"DROP TRIGGER matching_{event.lower()} ON {table};" for table in PARTS for event in REFERENCING),
        "DROP FUNCTION matching_on_pool, matching_on_freshness, matching_on_service, matching_on_location, matching_on_service_part;",
        "DROP FUNCTION matching_refresh, matching_refresh_all;",
        "DROP VIEW matching_poolfact_source;",
        "DROP FUNCTION matching_status_code;",
    ]
)

INDEX = """
CREATE INDEX matching_poolfact_reach ON matching_poolfact USING gist (care_type, point) WHERE is_open AND point IS NOT NULL;
CREATE INDEX matching_poolfact_placeless ON matching_poolfact (care_type) WHERE is_open AND point IS NULL;
ALTER TABLE matching_poolfact SET (fillfactor = 80, parallel_workers = 0);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("matching", "0001_initial"),
        ("capacity", "0003_freshness"),
        ("catalogue", "0002_vocabulary"),
        ("core", "0001_extensions"),
    ]
    operations = [
        BtreeGistExtension(),
        migrations.AddField("poolfact", "online", models.BooleanField(default=False)),
        migrations.AlterField("poolfact", "service_id", models.UUIDField(db_index=True)),
        migrations.AlterField(
            "poolfact",
            "point",
            django.contrib.gis.db.models.fields.PointField(
                srid=27700, null=True, spatial_index=False, help_text="Whole metres. Null: online or not placed."
            ),
        ),
        migrations.AddField(
            "matchrun",
            "misses",
            models.JSONField(default=dict, blank=True, help_text="When nobody fits: the nearest misses and what would open most."),
        ),
        migrations.RunSQL(INDEX, "DROP INDEX matching_poolfact_reach, matching_poolfact_placeless; ALTER TABLE matching_poolfact RESET (fillfactor, parallel_workers)"),
        migrations.RunSQL([STATUS, VIEW, FUNCTIONS, TRIGGERS], [DROP]),
        migrations.RunSQL("SELECT matching_refresh_all()", migrations.RunSQL.noop),
    ]
