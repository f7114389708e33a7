"""The journal of what was published, kept by triggers: a bulk import, a script and the administrator's site are told alike.

A service's row says in which transaction it last changed. Whoever reads rows whose transaction id lies below the snapshot's xmin, in
order, misses none: no transaction that could still write a lower one is running. Each change locks the service's row first, so that
of two transactions the later sees what the earlier did.
"""

import django.db.models.deletion
from django.db import migrations, models

import core.models

PUBLIC = """
    FROM catalogue_service s JOIN catalogue_organization o ON o.id = s.organization_id
    WHERE s.status = 'active' AND s.merged_into_id IS NULL AND NOT s.is_confidential AND NOT s.is_internal AND NOT o.is_confidential
"""

FUNCTIONS = f"""
CREATE FUNCTION catalogue_publish(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(cardinality(services), 0) = 0 THEN
        RETURN;
    END IF;
    PERFORM FROM catalogue_service WHERE id = ANY (services) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO catalogue_publicationchange AS p (service_id, xid, first_xid, changed_at, is_public)
    SELECT s.id, pg_current_xact_id(), pg_current_xact_id(), clock_timestamp(), true {PUBLIC} AND s.id = ANY (services)
    ON CONFLICT (service_id) DO UPDATE SET xid = excluded.xid, changed_at = excluded.changed_at, is_public = true;
    -- Public for a moment inside one transaction is not public: nobody saw it, and nobody is told that it is gone.
    DELETE FROM catalogue_publicationchange p
    WHERE p.service_id = ANY (services) AND p.first_xid = pg_current_xact_id()
      AND NOT EXISTS (SELECT {PUBLIC} AND s.id = p.service_id);
    UPDATE catalogue_publicationchange p SET xid = pg_current_xact_id(), changed_at = clock_timestamp(), is_public = false
    WHERE p.service_id = ANY (services) AND p.is_public
      AND NOT EXISTS (SELECT {PUBLIC} AND s.id = p.service_id);
END $$;

-- Parts do not decide whether a service is public: one that this transaction has already told of needs no more.
CREATE FUNCTION catalogue_publish_parts(services uuid[]) RETURNS void LANGUAGE sql AS $$
    SELECT catalogue_publish(ARRAY(
        SELECT DISTINCT id FROM unnest(services) AS id
        WHERE id IS NOT NULL AND NOT EXISTS (
            SELECT FROM catalogue_publicationchange p WHERE p.service_id = id AND p.is_public AND p.xid = pg_current_xact_id())))
$$;

CREATE FUNCTION catalogue_on_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Its organisation is locked whenever a service may become public: a change that hides the organisation comes before or after it.
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM catalogue_organization WHERE id IN (SELECT organization_id FROM new_rows) ORDER BY id FOR SHARE;
        PERFORM catalogue_publish(ARRAY(SELECT id FROM new_rows));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM catalogue_publish(ARRAY(SELECT id FROM old_rows));
    ELSE
        PERFORM FROM catalogue_organization WHERE id IN (
            SELECT n.organization_id FROM new_rows n JOIN old_rows o USING (id)
            WHERE (n.organization_id, n.status, n.merged_into_id, n.is_confidential, n.is_internal)
                  IS DISTINCT FROM (o.organization_id, o.status, o.merged_into_id, o.is_confidential, o.is_internal)
        ) ORDER BY id FOR SHARE;
        PERFORM catalogue_publish(ARRAY(
            SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
            WHERE (n.organization_id, n.name, n.alternate_name, n.description, n.url, n.email, n.status, n.care_type_id, n.catchment_m,
                   n.price_week, n.cqc_rating, n.cqc_rated_on, n.registered_places, n.is_confidential, n.is_internal, n.assured_date,
                   n.assured_by, n.merged_into_id, n.source, n.source_id)
                  IS DISTINCT FROM
                  (o.organization_id, o.name, o.alternate_name, o.description, o.url, o.email, o.status, o.care_type_id, o.catchment_m,
                   o.price_week, o.cqc_rating, o.cqc_rated_on, o.registered_places, o.is_confidential, o.is_internal, o.assured_date,
                   o.assured_by, o.merged_into_id, o.source, o.source_id)));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_service_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM catalogue_publish_parts(ARRAY(SELECT service_id FROM new_rows));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM catalogue_publish_parts(ARRAY(SELECT service_id FROM old_rows));
    ELSE
        PERFORM catalogue_publish_parts(ARRAY(SELECT service_id FROM new_rows UNION SELECT service_id FROM old_rows));
    END IF;
    RETURN NULL;
END $$;

-- The place is locked for the same reason as the organisation: a change of its address sees this service, or comes first.
CREATE FUNCTION catalogue_on_service_at_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM catalogue_location WHERE id IN (SELECT location_id FROM new_rows) ORDER BY id FOR SHARE;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_publish(ARRAY(
        SELECT s.id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_service s ON s.organization_id = n.id
        WHERE (n.name, n.description, n.kind, n.email, n.website, n.ods_code, n.cqc_provider_id, n.company_number, n.charity_number,
               n.is_confidential)
              IS DISTINCT FROM
              (o.name, o.description, o.kind, o.email, o.website, o.ods_code, o.cqc_provider_id, o.company_number, o.charity_number,
               o.is_confidential)));
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_publish_parts(ARRAY(
        SELECT a.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_serviceatlocation a ON a.location_id = n.id
        WHERE (n.location_type, n.name, n.uprn, n.is_confidential) IS DISTINCT FROM (o.location_type, o.name, o.uprn, o.is_confidential)
           OR n.point IS DISTINCT FROM o.point));
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_address() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    locations uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        locations := ARRAY(SELECT location_id FROM new_rows);
    ELSIF TG_OP = 'DELETE' THEN
        locations := ARRAY(SELECT location_id FROM old_rows);
    ELSE
        locations := ARRAY(SELECT location_id FROM new_rows UNION SELECT location_id FROM old_rows);
    END IF;
    PERFORM FROM catalogue_location WHERE id = ANY (locations) ORDER BY id FOR NO KEY UPDATE;
    PERFORM catalogue_publish_parts(ARRAY(SELECT service_id FROM catalogue_serviceatlocation WHERE location_id = ANY (locations)));
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_quality_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM catalogue_publish_parts(ARRAY(
            SELECT service_id FROM new_rows UNION
            SELECT s.id FROM new_rows n JOIN catalogue_service s ON s.organization_id = n.organization_id));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM catalogue_publish_parts(ARRAY(
            SELECT service_id FROM old_rows UNION
            SELECT s.id FROM old_rows o JOIN catalogue_service s ON s.organization_id = o.organization_id));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_term() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    terms uuid[] := ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.taxonomy_id, n.code, n.name, n.description, n.parent_id, n.term_uri)
              IS DISTINCT FROM (o.taxonomy_id, o.code, o.name, o.description, o.parent_id, o.term_uri));
BEGIN
    IF cardinality(terms) > 0 THEN
        PERFORM catalogue_publish_parts(ARRAY(
            SELECT id FROM catalogue_service WHERE care_type_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_service_taxonomy_terms WHERE taxonomyterm_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_eligibilitycriterion WHERE term_id = ANY (terms)));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_publish_parts(ARRAY(
        SELECT s.id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_service s ON s.source = n.name
        WHERE (n.licence, n.licence_url, n.attribution) IS DISTINCT FROM (o.licence, o.licence_url, o.attribution)));
    RETURN NULL;
END $$;
"""

REFERENCING = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
PARTS = (
    "eligibility", "eligibilitycriterion", "phone", "contact", "costoption", "schedule", "scheduleexception", "servicearea",
    "serviceatlocation", "service_taxonomy_terms",
)  # fmt: skip
#: Table, events, function. Triggers of one event fire in the order of their names: a place is locked before its service is told of.
TRIGGERS = [
    ("service", ("INSERT", "UPDATE", "DELETE"), "catalogue_on_service", "publish"),
    *((part, ("INSERT", "UPDATE", "DELETE"), "catalogue_on_service_part", "publish") for part in PARTS),
    ("serviceatlocation", ("INSERT",), "catalogue_on_service_at_location", "lock_place"),
    ("organization", ("UPDATE",), "catalogue_on_organization", "publish"),
    ("location", ("UPDATE",), "catalogue_on_location", "publish"),
    ("address", ("INSERT", "UPDATE", "DELETE"), "catalogue_on_address", "publish"),
    ("qualitymark", ("INSERT", "UPDATE", "DELETE"), "catalogue_on_quality_mark", "publish"),
    ("taxonomyterm", ("UPDATE",), "catalogue_on_term", "publish"),
    ("source", ("UPDATE",), "catalogue_on_source", "publish"),
]
CREATE = "\n".join(
    f"CREATE TRIGGER {name}_{event.lower()} AFTER {event} ON catalogue_{table} REFERENCING {REFERENCING[event]} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {function}();"
    for table, events, function, name in TRIGGERS
    for event in events
)
DROP = "\n".join(
    [
        *(f"DROP TRIGGER {name}_{event.lower()} ON catalogue_{table};" for table, events, _, name in TRIGGERS for event in events),
        f"DROP FUNCTION {', '.join(sorted({function for _, _, function, _ in TRIGGERS}))};",
        "DROP FUNCTION catalogue_publish_parts, catalogue_publish;",
    ]
)
FILL = "SELECT catalogue_publish(ARRAY(SELECT id FROM catalogue_service))"


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0006_living_catalogue"),
        ("core", "0001_extensions"),
    ]
    operations = [
        migrations.CreateModel(
            name="PublicationChange",
            fields=[
                (
                    "service",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="publication",
                        serialize=False,
                        to="catalogue.service",
                    ),
                ),
                ("xid", core.models.Xid8Field(editable=False, help_text="Transaction of the last change.")),
                ("first_xid", core.models.Xid8Field(editable=False, help_text="Transaction in which it became public.")),
                ("changed_at", models.DateTimeField()),
                ("is_public", models.BooleanField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["xid", "service"], name="publication_cursor"),
                    models.Index(fields=["changed_at"], name="publication_changed_at"),
                ],
            },
        ),
        migrations.RunSQL([FUNCTIONS, CREATE], [DROP]),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
