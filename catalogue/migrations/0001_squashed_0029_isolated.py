"""All that the migrations up to 0029_isolated make, in one step: a new database need not draw the models hundreds of times.

A database at one of those goes on by them: they stay until no site can be at any.
Besides the tables: the triggers that keep the journal of what is published and what searches compare, and the vocabulary.
"""

import catalogue.models.people
import core.models
import core.tables
import django.contrib.gis.db.models.fields
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import uuid
from django.conf import settings
from catalogue import vocabulary
from django.db import migrations, models


TABLES = """
-- In the collation C the primary key serves LIKE too.
DROP INDEX catalogue_postcode_postcode_c9a3c997_like;

CREATE UNLOGGED TABLE catalogue_servicesearch_due (xid xid8 NOT NULL DEFAULT pg_current_xact_id(), services uuid[] NOT NULL);

-- An import that changes many rows leaves the planner's figures old, and rows waiting beside the indexes, until the table is next seen to.
ALTER TABLE catalogue_servicesearch SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);
"""

#: Bodies are looked at when they first run: they name one another, and views that come after them.
FUNCTIONS = """
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

CREATE FUNCTION catalogue_on_area() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_publish_parts(ARRAY(
        SELECT a.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_servicearea a ON a.area_id = n.id
        WHERE (n.name, n.code) IS DISTINCT FROM (o.name, o.code)));
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

CREATE FUNCTION catalogue_on_organization() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    organizations uuid[] := ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.name, n.description, n.kind, n.email, n.website, n.ods_code, n.cqc_provider_id, n.company_number, n.charity_number,
               n.is_confidential)
              IS DISTINCT FROM
              (o.name, o.description, o.kind, o.email, o.website, o.ods_code, o.cqc_provider_id, o.company_number, o.charity_number,
               o.is_confidential));
BEGIN
    IF cardinality(organizations) > 0 THEN
        PERFORM catalogue_publish(ARRAY(SELECT id FROM catalogue_service WHERE organization_id = ANY (organizations)));
        PERFORM catalogue_publish_parts(
            ARRAY(SELECT service_id FROM catalogue_service_partners WHERE organization_id = ANY (organizations)));
    END IF;
    RETURN NULL;
END $$;

-- As with places: a change of the partner's name sees this service, or comes first.
CREATE FUNCTION catalogue_on_partner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM catalogue_organization WHERE id IN (SELECT organization_id FROM new_rows) ORDER BY id FOR SHARE;
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

-- The place is locked for the same reason as the organisation: a change of its address sees this service, or comes first.
CREATE FUNCTION catalogue_on_service_at_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM catalogue_location WHERE id IN (SELECT location_id FROM new_rows) ORDER BY id FOR SHARE;
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

-- A service says by its name which source it came from: what that name stood for before, and what it stands for now.
CREATE FUNCTION catalogue_on_source() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    names text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        names := ARRAY(SELECT name FROM new_rows);
    ELSIF TG_OP = 'DELETE' THEN
        names := ARRAY(SELECT name FROM old_rows);
    ELSE
        names := ARRAY(
            SELECT unnest(ARRAY[n.name, o.name]) FROM new_rows n JOIN old_rows o USING (id)
            WHERE (n.name, n.licence, n.licence_url, n.attribution) IS DISTINCT FROM (o.name, o.licence, o.licence_url, o.attribution));
    END IF;
    IF cardinality(names) > 0 THEN
        PERFORM catalogue_publish_parts(ARRAY(SELECT id FROM catalogue_service WHERE source <> '' AND source = ANY (names)));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_taxonomy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_publish_terms(ARRAY(
        SELECT t.id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_taxonomyterm t ON t.taxonomy_id = n.id
        WHERE (n.slug, n.name) IS DISTINCT FROM (o.slug, o.name)));
    RETURN NULL;
END $$;

-- Group and bit decide where a term stands: among what makes a place accessible, and where in a sentence.
CREATE FUNCTION catalogue_on_term() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    terms uuid[] := ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.taxonomy_id, n.code, n.name, n.description, n."group", n.parent_id, n.bit, n.term_uri)
              IS DISTINCT FROM (o.taxonomy_id, o.code, o.name, o.description, o."group", o.parent_id, o.bit, o.term_uri));
BEGIN
    PERFORM catalogue_publish_terms(terms);
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_publish(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    shown uuid[];
    hidden uuid[];
BEGIN
    IF coalesce(cardinality(services), 0) = 0 THEN
        RETURN;
    END IF;
    PERFORM FROM catalogue_service WHERE id = ANY (services) ORDER BY id FOR NO KEY UPDATE;
    shown := ARRAY(SELECT s.id 
    FROM catalogue_service s JOIN catalogue_organization o ON o.id = s.organization_id
    WHERE s.status = 'active' AND s.merged_into_id IS NULL AND NOT s.is_confidential AND NOT s.is_internal AND NOT o.is_confidential
 AND s.id = ANY (services));
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

CREATE FUNCTION catalogue_publish_parts(services uuid[]) RETURNS void LANGUAGE sql AS $$
    SELECT catalogue_publish(ARRAY(
        SELECT id FROM unnest(services) AS id WHERE id IS NOT NULL
        EXCEPT
        SELECT service_id FROM catalogue_publicationchange
        WHERE service_id = ANY (services) AND is_public AND xid = pg_current_xact_id()))
$$;

CREATE FUNCTION catalogue_publish_terms(terms uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(terms) > 0 THEN
        PERFORM catalogue_publish_parts(ARRAY(
            SELECT id FROM catalogue_service WHERE care_type_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_service_taxonomy_terms WHERE taxonomyterm_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_eligibilitycriterion WHERE term_id = ANY (terms)));
    END IF;
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

CREATE FUNCTION catalogue_search_on_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_search_refresh(ARRAY(
        SELECT DISTINCT a.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_serviceatlocation a ON a.location_id = n.id
        WHERE (n.location_type, n.is_confidential) IS DISTINCT FROM (o.location_type, o.is_confidential) OR n.point IS DISTINCT FROM o.point));
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_search_on_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_search_refresh(ARRAY(
        SELECT s.id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_service s ON s.organization_id = n.id
        WHERE (n.name, n.is_confidential) IS DISTINCT FROM (o.name, o.is_confidential)));
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

CREATE FUNCTION catalogue_search_pack(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM catalogue_service WHERE id = ANY (services) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO catalogue_servicesearch AS f (service_id, is_public, name, names, words, towns, points, minimum_age, maximum_age, assured_on)
    SELECT service_id, is_public, name, names, words, towns, points, minimum_age, maximum_age, assured_on FROM catalogue_servicesearch_source WHERE service_id = ANY (services) ORDER BY service_id
    ON CONFLICT (service_id) DO UPDATE SET is_public = excluded.is_public, name = excluded.name, names = excluded.names, words = excluded.words, towns = excluded.towns, points = excluded.points, minimum_age = excluded.minimum_age, maximum_age = excluded.maximum_age, assured_on = excluded.assured_on
    WHERE (f.is_public, f.name, f.names, f.words, f.towns, f.points, f.minimum_age, f.maximum_age, f.assured_on) IS DISTINCT FROM (excluded.is_public, excluded.name, excluded.names, excluded.words, excluded.towns, excluded.points, excluded.minimum_age, excluded.maximum_age, excluded.assured_on);
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
"""

VIEWS = """
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
) place ON true;

CREATE MATERIALIZED VIEW catalogue_searchword AS
SELECT word, bool_or(is_public) AS is_public, count(*) AS services
FROM catalogue_servicesearch, unnest(tsvector_to_array(to_tsvector('simple', names))) AS word
WHERE word ~ '^[[:alpha:]]{3,40}$' GROUP BY word;
CREATE UNIQUE INDEX searchword_word ON catalogue_searchword USING btree (word);
CREATE INDEX searchword_alike ON catalogue_searchword USING gin (word gin_trgm_ops) WITH (fastupdate=off);
"""

TRIGGERS = """
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_address REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_address();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_address REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_address();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_address REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_address();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_address REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_address();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_address REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_address();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_address REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_address();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_area REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_area();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_attachment REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_attachment REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_attachment REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_contact REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_contact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_contact REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_costoption REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_costoption REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_costoption REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_costoption REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_costoption REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_costoption REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_eligibility REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_eligibility REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_eligibility REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_eligibility REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_eligibility REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_eligibility REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_eligibilitycriterion REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_eligibilitycriterion REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_eligibilitycriterion REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_eligibilitycriterion REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_eligibilitycriterion REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_eligibilitycriterion REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_location REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_location();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_location REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_location();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_organization REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_organization();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_organization REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_organization();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_phone REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_phone REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_phone REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_qualitymark REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_quality_mark();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_qualitymark REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_quality_mark();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_qualitymark REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_quality_mark();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_registrationcriterion REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_registrationcriterion REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_registrationcriterion REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_schedule REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_schedule REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_schedule REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_schedule REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_schedule REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_schedule REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_scheduleexception REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_scheduleexception REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_scheduleexception REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_service REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_service REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_service REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_service REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_service();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_service REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_service();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_service REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_service();
CREATE TRIGGER lock_partner_insert AFTER INSERT ON catalogue_service_partners REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_partner();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_service_partners REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_service_partners REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_service_partners REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_service_taxonomy_terms REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_service_taxonomy_terms REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_service_taxonomy_terms REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_service_taxonomy_terms REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_service_taxonomy_terms REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_service_taxonomy_terms REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_servicearea REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_servicearea REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_servicearea REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER lock_place_insert AFTER INSERT ON catalogue_serviceatlocation REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_at_location();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_serviceatlocation REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_serviceatlocation REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_serviceatlocation REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_service_part();
CREATE TRIGGER search_delete AFTER DELETE ON catalogue_serviceatlocation REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_insert AFTER INSERT ON catalogue_serviceatlocation REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_serviceatlocation REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_part();
CREATE CONSTRAINT TRIGGER search_settle AFTER INSERT ON catalogue_servicesearch_due DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalogue_search_settle();
CREATE TRIGGER publish_delete AFTER DELETE ON catalogue_source REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_source();
CREATE TRIGGER publish_insert AFTER INSERT ON catalogue_source REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_source();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_source REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_source();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_taxonomy REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_taxonomy();
CREATE TRIGGER publish_update AFTER UPDATE ON catalogue_taxonomyterm REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_on_term();
CREATE TRIGGER search_update AFTER UPDATE ON catalogue_taxonomyterm REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalogue_search_on_term();
"""

DROP = """
DROP TRIGGER publish_delete ON catalogue_address;
DROP TRIGGER publish_insert ON catalogue_address;
DROP TRIGGER publish_update ON catalogue_address;
DROP TRIGGER search_delete ON catalogue_address;
DROP TRIGGER search_insert ON catalogue_address;
DROP TRIGGER search_update ON catalogue_address;
DROP TRIGGER publish_update ON catalogue_area;
DROP TRIGGER publish_delete ON catalogue_attachment;
DROP TRIGGER publish_insert ON catalogue_attachment;
DROP TRIGGER publish_update ON catalogue_attachment;
DROP TRIGGER publish_delete ON catalogue_contact;
DROP TRIGGER publish_insert ON catalogue_contact;
DROP TRIGGER publish_update ON catalogue_contact;
DROP TRIGGER publish_delete ON catalogue_costoption;
DROP TRIGGER publish_insert ON catalogue_costoption;
DROP TRIGGER publish_update ON catalogue_costoption;
DROP TRIGGER search_delete ON catalogue_costoption;
DROP TRIGGER search_insert ON catalogue_costoption;
DROP TRIGGER search_update ON catalogue_costoption;
DROP TRIGGER publish_delete ON catalogue_eligibility;
DROP TRIGGER publish_insert ON catalogue_eligibility;
DROP TRIGGER publish_update ON catalogue_eligibility;
DROP TRIGGER search_delete ON catalogue_eligibility;
DROP TRIGGER search_insert ON catalogue_eligibility;
DROP TRIGGER search_update ON catalogue_eligibility;
DROP TRIGGER publish_delete ON catalogue_eligibilitycriterion;
DROP TRIGGER publish_insert ON catalogue_eligibilitycriterion;
DROP TRIGGER publish_update ON catalogue_eligibilitycriterion;
DROP TRIGGER search_delete ON catalogue_eligibilitycriterion;
DROP TRIGGER search_insert ON catalogue_eligibilitycriterion;
DROP TRIGGER search_update ON catalogue_eligibilitycriterion;
DROP TRIGGER publish_update ON catalogue_location;
DROP TRIGGER search_update ON catalogue_location;
DROP TRIGGER publish_update ON catalogue_organization;
DROP TRIGGER search_update ON catalogue_organization;
DROP TRIGGER publish_delete ON catalogue_phone;
DROP TRIGGER publish_insert ON catalogue_phone;
DROP TRIGGER publish_update ON catalogue_phone;
DROP TRIGGER publish_delete ON catalogue_qualitymark;
DROP TRIGGER publish_insert ON catalogue_qualitymark;
DROP TRIGGER publish_update ON catalogue_qualitymark;
DROP TRIGGER publish_delete ON catalogue_registrationcriterion;
DROP TRIGGER publish_insert ON catalogue_registrationcriterion;
DROP TRIGGER publish_update ON catalogue_registrationcriterion;
DROP TRIGGER publish_delete ON catalogue_schedule;
DROP TRIGGER publish_insert ON catalogue_schedule;
DROP TRIGGER publish_update ON catalogue_schedule;
DROP TRIGGER search_delete ON catalogue_schedule;
DROP TRIGGER search_insert ON catalogue_schedule;
DROP TRIGGER search_update ON catalogue_schedule;
DROP TRIGGER publish_delete ON catalogue_scheduleexception;
DROP TRIGGER publish_insert ON catalogue_scheduleexception;
DROP TRIGGER publish_update ON catalogue_scheduleexception;
DROP TRIGGER publish_delete ON catalogue_service;
DROP TRIGGER publish_insert ON catalogue_service;
DROP TRIGGER publish_update ON catalogue_service;
DROP TRIGGER search_delete ON catalogue_service;
DROP TRIGGER search_insert ON catalogue_service;
DROP TRIGGER search_update ON catalogue_service;
DROP TRIGGER lock_partner_insert ON catalogue_service_partners;
DROP TRIGGER publish_delete ON catalogue_service_partners;
DROP TRIGGER publish_insert ON catalogue_service_partners;
DROP TRIGGER publish_update ON catalogue_service_partners;
DROP TRIGGER publish_delete ON catalogue_service_taxonomy_terms;
DROP TRIGGER publish_insert ON catalogue_service_taxonomy_terms;
DROP TRIGGER publish_update ON catalogue_service_taxonomy_terms;
DROP TRIGGER search_delete ON catalogue_service_taxonomy_terms;
DROP TRIGGER search_insert ON catalogue_service_taxonomy_terms;
DROP TRIGGER search_update ON catalogue_service_taxonomy_terms;
DROP TRIGGER publish_delete ON catalogue_servicearea;
DROP TRIGGER publish_insert ON catalogue_servicearea;
DROP TRIGGER publish_update ON catalogue_servicearea;
DROP TRIGGER lock_place_insert ON catalogue_serviceatlocation;
DROP TRIGGER publish_delete ON catalogue_serviceatlocation;
DROP TRIGGER publish_insert ON catalogue_serviceatlocation;
DROP TRIGGER publish_update ON catalogue_serviceatlocation;
DROP TRIGGER search_delete ON catalogue_serviceatlocation;
DROP TRIGGER search_insert ON catalogue_serviceatlocation;
DROP TRIGGER search_update ON catalogue_serviceatlocation;
DROP TRIGGER search_settle ON catalogue_servicesearch_due;
DROP TRIGGER publish_delete ON catalogue_source;
DROP TRIGGER publish_insert ON catalogue_source;
DROP TRIGGER publish_update ON catalogue_source;
DROP TRIGGER publish_update ON catalogue_taxonomy;
DROP TRIGGER publish_update ON catalogue_taxonomyterm;
DROP TRIGGER search_update ON catalogue_taxonomyterm;
DROP MATERIALIZED VIEW catalogue_searchword;
DROP VIEW catalogue_servicesearch_source;
DROP TABLE catalogue_servicesearch_due;
DROP FUNCTION catalogue_on_address();
DROP FUNCTION catalogue_on_area();
DROP FUNCTION catalogue_on_location();
DROP FUNCTION catalogue_on_organization();
DROP FUNCTION catalogue_on_partner();
DROP FUNCTION catalogue_on_quality_mark();
DROP FUNCTION catalogue_on_service();
DROP FUNCTION catalogue_on_service_at_location();
DROP FUNCTION catalogue_on_service_part();
DROP FUNCTION catalogue_on_source();
DROP FUNCTION catalogue_on_taxonomy();
DROP FUNCTION catalogue_on_term();
DROP FUNCTION catalogue_publish(uuid[]);
DROP FUNCTION catalogue_publish_parts(uuid[]);
DROP FUNCTION catalogue_publish_terms(uuid[]);
DROP FUNCTION catalogue_search_on_address();
DROP FUNCTION catalogue_search_on_location();
DROP FUNCTION catalogue_search_on_organization();
DROP FUNCTION catalogue_search_on_part();
DROP FUNCTION catalogue_search_on_service();
DROP FUNCTION catalogue_search_on_term();
DROP FUNCTION catalogue_search_pack(uuid[]);
DROP FUNCTION catalogue_search_refresh(uuid[]);
DROP FUNCTION catalogue_search_settle();
"""


def load(apps, schema_editor):
    vocabulary.load(apps)


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("catalogue", "0001_initial"),
        ("catalogue", "0002_vocabulary"),
        ("catalogue", "0003_import_details"),
        ("catalogue", "0004_postcode_index"),
        ("catalogue", "0005_postcode_metres"),
        ("catalogue", "0006_living_catalogue"),
        ("catalogue", "0007_publication_changes"),
        ("catalogue", "0008_own_entries"),
        ("catalogue", "0009_duplicate_search"),
        ("catalogue", "0010_records_kept_true"),
        ("catalogue", "0011_structured_eligibility"),
        ("catalogue", "0012_more_vocabulary"),
        ("catalogue", "0013_service_search"),
        ("catalogue", "0014_send_local_offer"),
        ("catalogue", "0015_places_contacts_sheets"),
        ("catalogue", "0016_criteria_of_areas_and_own_terms"),
        ("catalogue", "0017_usage_and_letters"),
        ("catalogue", "0018_everything_published_is_told"),
        ("catalogue", "0019_history_by_statement"),
        ("catalogue", "0020_publish_many"),
        ("catalogue", "0021_words_of_names"),
        ("catalogue", "0022_publish_parts"),
        ("catalogue", "0023_words_for_arts"),
        ("catalogue", "0024_codes_that_were_looked_up"),
        ("catalogue", "0025_slips_by_words_alone"),
        ("catalogue", "0026_notes_and_reference_files"),
        ("catalogue", "0027_sheets_made_and_read_by_a_worker"),
        ("catalogue", "0028_who_keeps_keys"),
        ("catalogue", "0029_isolated"),
    ]
    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('core', '0001_extensions'),
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        core.tables.CreateModels(
            models=[
                migrations.CreateModel(
                    name='AssuranceRound',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('asked_at', models.DateTimeField()),
                        ('services', models.PositiveIntegerField(default=0, help_text='Records that letters ask about.')),
                        ('unreachable', models.PositiveIntegerField(default=0, help_text='Records without an address to write to.')),
                        ('letters', models.PositiveIntegerField(default=0)),
                        ('sent', models.PositiveIntegerField(default=0, help_text='Letters that went out.')),
                        ('failed', models.PositiveIntegerField(default=0, help_text='Letters that could not be delivered.')),
                    ],
                    options={
                        'ordering': ['-asked_at'],
                    },
                ),
                migrations.CreateModel(
                    name='AssuranceLink',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assurance_links', to='catalogue.service')),
                        ('token_hash', models.CharField(max_length=64, unique=True)),
                        ('sent_to', models.EmailField(max_length=254)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('answer', models.CharField(blank=True, choices=[('', 'Not answered'), ('correct', 'Still correct'), ('change', 'Something has changed'), ('closed', 'Closed')], default='', max_length=10)),
                        ('answered_at', models.DateTimeField(blank=True, null=True)),
                        ('revoked_at', models.DateTimeField(blank=True, null=True)),
                        ('bounced_at', models.DateTimeField(blank=True, help_text='When it was known that nobody gets mail at that address.', null=True)),
                        ('round', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='links', to='catalogue.assuranceround')),
                    ],
                    options={
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='MistakeReport',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mistake_reports', to='catalogue.service')),
                        ('what', models.CharField(blank=True, help_text='Which part: phone, times, address …', max_length=40)),
                        ('words', models.TextField(blank=True, max_length=2000)),
                        ('reply_to', models.EmailField(blank=True, max_length=254)),
                        ('reported_at', models.DateTimeField()),
                        ('status', models.CharField(choices=[('open', 'Open'), ('mended', 'Mended'), ('dismissed', 'Nothing to mend')], default='open', max_length=10)),
                        ('handled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('handled_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-reported_at'],
                    },
                ),
                migrations.CreateModel(
                    name='QualityMark',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='quality_marks', to='catalogue.service')),
                        ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='quality_marks', to='catalogue.organization')),
                        ('scheme', models.CharField(choices=[('ncvo', 'NCVO Trusted Charity'), ('qismet', 'QISMET certificate'), ('cqc', 'CQC rating'), ('app-review', 'Review of an app'), ('other', 'Other')], max_length=20)),
                        ('name', models.CharField(help_text='The mark as its giver calls it, with its level.', max_length=200)),
                        ('score', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True)),
                        ('out_of', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True)),
                        ('awarded_on', models.DateField(blank=True, null=True)),
                        ('expires_on', models.DateField(blank=True, null=True)),
                        ('url', models.URLField(blank=True, max_length=500)),
                    ],
                    options={
                        'ordering': ['scheme', '-awarded_on'],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('organization__isnull', True), ('service__isnull', False)), models.Q(('organization__isnull', False), ('service__isnull', True)), _connector='OR'), name='mark_of_one', violation_error_message='A mark belongs either to a service or to an organisation.'), models.CheckConstraint(condition=models.Q(('expires_on__isnull', True), ('awarded_on__isnull', True), ('expires_on__gte', models.F('awarded_on')), _connector='OR'), name='mark_ends_after_it_begins', violation_error_message='A mark cannot expire before it was given.'), models.CheckConstraint(condition=models.Q(('score__isnull', True), models.Q(('out_of__gt', 0), ('score__gte', 0), ('score__lte', models.F('out_of'))), _connector='OR'), name='score_within_its_scale', violation_error_message='A score lies between 0 and the best there is.')],
                    },
                ),
                migrations.CreateModel(
                    name='DuplicateCandidate',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('one', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.service')),
                        ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.service')),
                        ('score', models.FloatField(help_text='From 0 to 1; how sure the comparison is.')),
                        ('reasons', models.JSONField(default=list, help_text='What speaks for and against, each with its weight.')),
                        ('decision', models.CharField(choices=[('open', 'Not looked at'), ('same', 'The same service'), ('different', 'Two services')], default='open', max_length=10)),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('found_at', models.DateTimeField()),
                    ],
                    options={
                        'ordering': ['-score', 'pk'],
                        'constraints': [models.UniqueConstraint(fields=('one', 'other'), name='pair_once'), models.CheckConstraint(condition=models.Q(('one__lt', models.F('other'))), name='pair_in_order', violation_error_message='A pair names two services, the smaller id first.')],
                    },
                ),
                migrations.CreateModel(
                    name='Merge',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('kept', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges', to='catalogue.service')),
                        ('gone', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merged_by', to='catalogue.service')),
                        ('chosen', models.JSONField(default=dict, help_text='Fields whose value was taken from the record that went.')),
                        ('before', models.JSONField(default=dict, help_text='What the kept record said in those fields.')),
                        ('merged_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('merged_at', models.DateTimeField()),
                        ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-merged_at'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('kept', models.F('gone')), _negated=True), name='merge_of_two', violation_error_message='A record cannot be merged with itself.'), models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('gone',), name='merged_once', violation_error_message='This record has already been merged into another.')],
                    },
                ),
                migrations.CreateModel(
                    name='DuplicateSearch',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('started_at', models.DateTimeField()),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('since', models.DateTimeField(blank=True, help_text='Only services changed since then were compared; empty: all.', null=True)),
                        ('services', models.PositiveIntegerField(default=0, help_text='How many were compared with their like.')),
                        ('pairs', models.PositiveIntegerField(default=0, help_text='How many pairs were compared.')),
                        ('found', models.PositiveIntegerField(default=0, help_text='How many of them a person should look at.')),
                        ('passed_over', models.PositiveIntegerField(default=0, help_text='Groups too large to compare each with each.')),
                    ],
                    options={
                        'ordering': ['-started_at'],
                    },
                ),
                migrations.CreateModel(
                    name='Service',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='services', to='catalogue.organization')),
                        ('name', models.CharField(max_length=255)),
                        ('alternate_name', models.CharField(blank=True, max_length=255)),
                        ('description', models.TextField(blank=True)),
                        ('url', models.URLField(blank=True, max_length=500)),
                        ('email', models.EmailField(blank=True, max_length=254)),
                        ('status', models.CharField(choices=[('active', 'Active'), ('inactive', 'Inactive'), ('defunct', 'Closed for good'), ('temporarily closed', 'Closed for now')], default='active', max_length=20)),
                        ('care_type', models.ForeignKey(blank=True, help_text='What kind of care it is; a term of the care-type taxonomy.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.taxonomyterm')),
                        ('catchment_m', models.PositiveIntegerField(blank=True, help_text='Takes people who live within this many metres; empty: no limit stated.', null=True)),
                        ('price_week', models.DecimalField(blank=True, decimal_places=2, help_text='Usual price a week in pounds; 0 is free.', max_digits=8, null=True)),
                        ('cqc_rating', models.PositiveSmallIntegerField(blank=True, choices=[(1, 'Inadequate'), (2, 'Requires improvement'), (3, 'Good'), (4, 'Outstanding')], null=True)),
                        ('cqc_rated_on', models.DateField(blank=True, null=True)),
                        ('registered_places', models.PositiveIntegerField(blank=True, help_text='How many people it is registered for, by CQC.', null=True)),
                        ('is_confidential', models.BooleanField(default=False)),
                        ('is_internal', models.BooleanField(default=False, help_text='For professionals only; never in a public feed.')),
                        ('assured_date', models.DateField(blank=True, help_text='When somebody last checked this record.', null=True)),
                        ('assured_by', models.CharField(blank=True, help_text='Who checked it: an organisation or a source, no person.', max_length=200)),
                        ('kept_fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), blank=True, default=list, help_text='Fields that people here decided; an import leaves them alone.', size=None)),
                        ('merged_into', models.ForeignKey(blank=True, help_text="This record is another's double.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='merged_from', to='catalogue.service')),
                        ('source', models.CharField(blank=True, max_length=100)),
                        ('source_id', models.CharField(blank=True, max_length=200)),
                        ('source_hash', models.CharField(blank=True, max_length=64)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('modified_at', models.DateTimeField(auto_now=True)),
                        ('taxonomy_terms', models.ManyToManyField(blank=True, related_name='services', to='catalogue.taxonomyterm')),
                        ('partners', models.ManyToManyField(blank=True, help_text='Others who deliver it together with its owner.', related_name='partner_services', to='catalogue.organization')),
                    ],
                    options={
                        'ordering': ['name', 'id'],
                        'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['name'], name='service_name_trgm', opclasses=['gin_trgm_ops'])],
                        'constraints': [models.CheckConstraint(condition=models.Q(('price_week__isnull', True), ('price_week__gte', 0), _connector='OR'), name='price_not_negative', violation_error_message='A price cannot be less than nothing.'), models.CheckConstraint(condition=models.Q(('cqc_rating__isnull', True), ('cqc_rating__range', (1, 4)), _connector='OR'), name='cqc_rating_known', violation_error_message='A CQC rating is from 1 (inadequate) to 4 (outstanding), or empty when there is none.')],
                        'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_serviceevent" ("alternate_name", "assured_by", "assured_date", "care_type_id", "catchment_m", "cqc_rated_on", "cqc_rating", "created_at", "description", "email", "id", "is_confidential", "is_internal", "kept_fields", "merged_into_id", "modified_at", "name", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_week", "registered_places", "source", "source_hash", "source_id", "status", "url") SELECT new_values."alternate_name", new_values."assured_by", new_values."assured_date", new_values."care_type_id", new_values."catchment_m", new_values."cqc_rated_on", new_values."cqc_rating", new_values."created_at", new_values."description", new_values."email", new_values."id", new_values."is_confidential", new_values."is_internal", new_values."kept_fields", new_values."merged_into_id", new_values."modified_at", new_values."name", new_values."organization_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."price_week", new_values."registered_places", new_values."source", new_values."source_hash", new_values."source_id", new_values."status", new_values."url" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='d16f153828c1bc7354e41bde9b17e6df30d172b6', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_abccd', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_service', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_serviceevent" ("alternate_name", "assured_by", "assured_date", "care_type_id", "catchment_m", "cqc_rated_on", "cqc_rating", "created_at", "description", "email", "id", "is_confidential", "is_internal", "kept_fields", "merged_into_id", "modified_at", "name", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_week", "registered_places", "source", "source_hash", "source_id", "status", "url") SELECT new_values."alternate_name", new_values."assured_by", new_values."assured_date", new_values."care_type_id", new_values."catchment_m", new_values."cqc_rated_on", new_values."cqc_rating", new_values."created_at", new_values."description", new_values."email", new_values."id", new_values."is_confidential", new_values."is_internal", new_values."kept_fields", new_values."merged_into_id", new_values."modified_at", new_values."name", new_values."organization_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."price_week", new_values."registered_places", new_values."source", new_values."source_hash", new_values."source_id", new_values."status", new_values."url" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='0cc9a7169df271d3dd4aee4604b6a6444996e945', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_f4e52', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_service', when='AFTER'))],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceEvent',
                    fields=[
                        ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                        ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                        ('pgh_label', models.TextField(help_text='The event label.')),
                        ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='catalogue.service')),
                        ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                        ('organization', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.organization')),
                        ('name', models.CharField(max_length=255)),
                        ('alternate_name', models.CharField(blank=True, max_length=255)),
                        ('description', models.TextField(blank=True)),
                        ('url', models.URLField(blank=True, max_length=500)),
                        ('email', models.EmailField(blank=True, max_length=254)),
                        ('status', models.CharField(choices=[('active', 'Active'), ('inactive', 'Inactive'), ('defunct', 'Closed for good'), ('temporarily closed', 'Closed for now')], default='active', max_length=20)),
                        ('care_type', models.ForeignKey(blank=True, db_constraint=False, help_text='What kind of care it is; a term of the care-type taxonomy.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.taxonomyterm')),
                        ('catchment_m', models.PositiveIntegerField(blank=True, help_text='Takes people who live within this many metres; empty: no limit stated.', null=True)),
                        ('price_week', models.DecimalField(blank=True, decimal_places=2, help_text='Usual price a week in pounds; 0 is free.', max_digits=8, null=True)),
                        ('cqc_rating', models.PositiveSmallIntegerField(blank=True, choices=[(1, 'Inadequate'), (2, 'Requires improvement'), (3, 'Good'), (4, 'Outstanding')], null=True)),
                        ('cqc_rated_on', models.DateField(blank=True, null=True)),
                        ('registered_places', models.PositiveIntegerField(blank=True, help_text='How many people it is registered for, by CQC.', null=True)),
                        ('is_confidential', models.BooleanField(default=False)),
                        ('is_internal', models.BooleanField(default=False, help_text='For professionals only; never in a public feed.')),
                        ('assured_date', models.DateField(blank=True, help_text='When somebody last checked this record.', null=True)),
                        ('assured_by', models.CharField(blank=True, help_text='Who checked it: an organisation or a source, no person.', max_length=200)),
                        ('kept_fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), blank=True, default=list, help_text='Fields that people here decided; an import leaves them alone.', size=None)),
                        ('merged_into', models.ForeignKey(blank=True, db_constraint=False, help_text="This record is another's double.", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.service')),
                        ('source', models.CharField(blank=True, max_length=100)),
                        ('source_id', models.CharField(blank=True, max_length=200)),
                        ('source_hash', models.CharField(blank=True, max_length=64)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('modified_at', models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='Phone',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='phones', to='catalogue.service')),
                        ('number', models.CharField(max_length=40)),
                        ('description', models.CharField(blank=True, max_length=200)),
                    ],
                ),
                migrations.CreateModel(
                    name='Contact',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to='catalogue.service')),
                        ('name', models.CharField(blank=True, max_length=200)),
                        ('title', models.CharField(blank=True, max_length=200)),
                        ('email', models.EmailField(blank=True, max_length=254)),
                        ('phones', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, help_text="Its own numbers, apart from the service's.", size=None)),
                        ('location', models.ForeignKey(blank=True, help_text='Empty: for all of the service.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='contacts', to='catalogue.location')),
                        ('is_public', models.BooleanField(default=False)),
                    ],
                ),
                migrations.CreateModel(
                    name='CostOption',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cost_options', to='catalogue.service')),
                        ('option', models.CharField(blank=True, max_length=200)),
                        ('amount', models.DecimalField(blank=True, decimal_places=2, max_digits=9, null=True)),
                        ('currency', models.CharField(default='GBP', max_length=3)),
                        ('amount_description', models.CharField(blank=True, max_length=300)),
                    ],
                ),
                migrations.CreateModel(
                    name='Schedule',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='schedules', to='catalogue.service')),
                        ('freq', models.CharField(choices=[('WEEKLY', 'Weekly'), ('MONTHLY', 'Monthly')], default='WEEKLY', max_length=10)),
                        ('interval', models.PositiveSmallIntegerField(default=1)),
                        ('byday', models.CharField(blank=True, help_text='MO,TU,WE,TH,FR,SA,SU', max_length=40)),
                        ('bymonthday', models.CharField(blank=True, max_length=40)),
                        ('dtstart', models.DateField(blank=True, null=True)),
                        ('valid_from', models.DateField(blank=True, null=True)),
                        ('valid_to', models.DateField(blank=True, null=True)),
                        ('opens_at', models.TimeField(blank=True, null=True)),
                        ('closes_at', models.TimeField(blank=True, null=True)),
                        ('description', models.CharField(blank=True, max_length=300)),
                        ('term', models.CharField(choices=[('always', 'All the year'), ('term-time', 'In school terms only'), ('holidays', 'In school holidays only')], default='always', max_length=10)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_from__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='schedule_ends_after_it_begins', violation_error_message='The last day cannot be before the first.')],
                    },
                ),
                migrations.CreateModel(
                    name='Eligibility',
                    fields=[
                        ('service', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='eligibility', serialize=False, to='catalogue.service')),
                        ('minimum_age', models.PositiveSmallIntegerField(blank=True, help_text='In years, inclusive.', null=True)),
                        ('maximum_age', models.PositiveSmallIntegerField(blank=True, help_text='In years, inclusive.', null=True)),
                        ('sex', models.CharField(blank=True, choices=[('any', 'Anybody'), ('female', 'Women only'), ('male', 'Men only')], max_length=10)),
                        ('sex_reason', models.CharField(blank=True, choices=[('shared-rooms', 'people share rooms or bathrooms'), ('personal-care', 'it gives intimate care'), ('safety', 'people come to it for safety from violence'), ('need', 'only they need it, or it works better for them apart'), ('religion', 'a religion asks for it')], help_text='Why it is for women or men only, where the law allows that.', max_length=20)),
                        ('notes', models.TextField(blank=True)),
                    ],
                    options={
                        'verbose_name_plural': 'eligibilities',
                        'constraints': [models.CheckConstraint(condition=models.Q(('minimum_age__isnull', True), ('maximum_age__isnull', True), ('maximum_age__gte', models.F('minimum_age')), _connector='OR'), name='ages_in_order', violation_error_message='The highest age cannot be below the lowest.')],
                        'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilityevent" ("maximum_age", "minimum_age", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_id", "sex", "sex_reason") SELECT new_values."maximum_age", new_values."minimum_age", new_values."notes", _pgh_attached_context.value, NOW(), \'insert\', new_values."service_id", new_values."service_id", new_values."sex", new_values."sex_reason" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='37bde2c9bdd452c90a3ca872e9c3a2065352fb4a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_d5acb', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_eligibility', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilityevent" ("maximum_age", "minimum_age", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_id", "sex", "sex_reason") SELECT new_values."maximum_age", new_values."minimum_age", new_values."notes", _pgh_attached_context.value, NOW(), \'update\', new_values."service_id", new_values."service_id", new_values."sex", new_values."sex_reason" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."service_id") = (new_values."service_id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='9f7ca1ba12f77e39fdcaaf21414eca170f9e2e9a', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_e3bcb', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_eligibility', when='AFTER'))],
                    },
                ),
                migrations.CreateModel(
                    name='EligibilityEvent',
                    fields=[
                        ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                        ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                        ('pgh_label', models.TextField(help_text='The event label.')),
                        ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='catalogue.eligibility')),
                        ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                        ('service', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', serialize=False, to='catalogue.service')),
                        ('minimum_age', models.PositiveSmallIntegerField(blank=True, help_text='In years, inclusive.', null=True)),
                        ('maximum_age', models.PositiveSmallIntegerField(blank=True, help_text='In years, inclusive.', null=True)),
                        ('sex', models.CharField(blank=True, choices=[('any', 'Anybody'), ('female', 'Women only'), ('male', 'Men only')], max_length=10)),
                        ('sex_reason', models.CharField(blank=True, choices=[('shared-rooms', 'people share rooms or bathrooms'), ('personal-care', 'it gives intimate care'), ('safety', 'people come to it for safety from violence'), ('need', 'only they need it, or it works better for them apart'), ('religion', 'a religion asks for it')], help_text='Why it is for women or men only, where the law allows that.', max_length=20)),
                        ('notes', models.TextField(blank=True)),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='EligibilityCriterion',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='criteria', to='catalogue.service')),
                        ('term', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.taxonomyterm')),
                        ('rule', models.CharField(choices=[('accepts', 'can meet'), ('required', 'only people with'), ('excluded', 'cannot take people with'), ('preferred', 'takes first people with')], max_length=10)),
                    ],
                    options={
                        'verbose_name_plural': 'eligibility criteria',
                        'constraints': [models.UniqueConstraint(fields=('service', 'term'), name='one_rule_per_term', violation_error_message='This service already has a rule for that.')],
                        'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilitycriterionevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id", "term_id") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."rule", new_values."service_id", new_values."term_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='197df8f69f5ba617b6f1613d12a6cc32bce6f41a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_0cf1e', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_eligibilitycriterion', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilitycriterionevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id", "term_id") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."rule", new_values."service_id", new_values."term_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='1c1a806a2a59687d90f8c3c60ab853c884689aee', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_97d35', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_eligibilitycriterion', when='AFTER'))],
                    },
                ),
                migrations.CreateModel(
                    name='EligibilityCriterionEvent',
                    fields=[
                        ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                        ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                        ('pgh_label', models.TextField(help_text='The event label.')),
                        ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='catalogue.eligibilitycriterion')),
                        ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                        ('service', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.service')),
                        ('term', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.taxonomyterm')),
                        ('rule', models.CharField(choices=[('accepts', 'can meet'), ('required', 'only people with'), ('excluded', 'cannot take people with'), ('preferred', 'takes first people with')], max_length=10)),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='RegistrationCriterion',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='registrations', to='catalogue.service')),
                        ('kind', models.CharField(choices=[('practice', 'General practice'), ('pcn', 'Primary care network'), ('icb', 'Integrated care board')], max_length=10)),
                        ('code', models.CharField(help_text='ODS code.', max_length=10)),
                        ('name', models.CharField(max_length=200)),
                        ('rule', models.CharField(choices=[('required', 'only people registered there'), ('excluded', 'nobody registered there'), ('preferred', 'first people registered there')], default='required', max_length=10)),
                    ],
                    options={
                        'verbose_name_plural': 'registration criteria',
                        'constraints': [models.UniqueConstraint(fields=('service', 'kind', 'code'), name='one_rule_per_registration', violation_error_message='This service already has a rule for that practice, network or board.'), models.CheckConstraint(condition=models.Q(('code__regex', '^[A-Z0-9]{2,10}$')), name='registration_code_is_ods', violation_error_message='An ODS code has 2 to 10 capital letters and digits.')],
                        'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_registrationcriterionevent" ("code", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id") SELECT new_values."code", new_values."id", new_values."kind", new_values."name", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."rule", new_values."service_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='d35e296335278f8811ae1c21746204c98bdd25df', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_1e40b', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_registrationcriterion', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_registrationcriterionevent" ("code", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id") SELECT new_values."code", new_values."id", new_values."kind", new_values."name", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."rule", new_values."service_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='c835a01fd1ede39cdbb70f3f3a315b3f4eb2d1ce', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_1201b', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_registrationcriterion', when='AFTER'))],
                    },
                ),
                migrations.CreateModel(
                    name='RegistrationCriterionEvent',
                    fields=[
                        ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                        ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                        ('pgh_label', models.TextField(help_text='The event label.')),
                        ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='catalogue.registrationcriterion')),
                        ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                        ('service', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.service')),
                        ('kind', models.CharField(choices=[('practice', 'General practice'), ('pcn', 'Primary care network'), ('icb', 'Integrated care board')], max_length=10)),
                        ('code', models.CharField(help_text='ODS code.', max_length=10)),
                        ('name', models.CharField(max_length=200)),
                        ('rule', models.CharField(choices=[('required', 'only people registered there'), ('excluded', 'nobody registered there'), ('preferred', 'first people registered there')], default='required', max_length=10)),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='ProposedChange',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('organization', models.ForeignKey(blank=True, help_text='Whose entry it is; empty: a group that the directory does not know yet.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='proposed_changes', to='catalogue.organization')),
                        ('service', models.ForeignKey(blank=True, help_text='Empty: a new one.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='proposed_changes', to='catalogue.service')),
                        ('batch', models.UUIDField(blank=True, help_text='Rows of one spreadsheet share it.', null=True)),
                        ('row', models.CharField(blank=True, max_length=40)),
                        ('run', models.ForeignKey(blank=True, help_text='The import that made it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalogue.importrun')),
                        ('origin', models.CharField(choices=[('form', 'Form'), ('spreadsheet', 'Spreadsheet'), ('link', 'Link without an account'), ('import', 'Import')], default='form', max_length=12)),
                        ('content', models.JSONField(default=dict, help_text='The new values by field, as the form has them.')),
                        ('base', models.JSONField(default=dict, help_text='What those fields held when the new values were written.')),
                        ('faults', models.JSONField(default=dict, help_text='What is wrong with them, by field; empty when they can be used.')),
                        ('status', models.CharField(choices=[('draft', 'Draft'), ('waiting', 'Waiting for approval'), ('made', 'Made'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn')], default='draft', max_length=10)),
                        ('proposed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('proposed_at', models.DateTimeField()),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('reason', models.CharField(blank=True, help_text='Why it was refused.', max_length=500)),
                        ('undoes', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='undone_by', to='catalogue.proposedchange')),
                    ],
                    options={
                        'ordering': ['-proposed_at'],
                    },
                ),
                migrations.CreateModel(
                    name='Sheet',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('organization', models.ForeignKey(blank=True, help_text="The sender's office.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization')),
                        ('sent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('sent_at', models.DateTimeField()),
                        ('status', models.CharField(choices=[('ready', 'To be looked at'), ('running', 'Running'), ('stopped', 'Stopped by somebody'), ('done', 'Done'), ('failed', 'Ended by a fault')], default='ready', max_length=10)),
                        ('work', models.CharField(choices=[('write', 'Make for download'), ('read', 'Look at'), ('apply', 'Apply'), ('undo', 'Undo')], default='apply', max_length=10)),
                        ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('chosen', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, help_text='Rows that are still to be dealt with.', null=True, size=None)),
                        ('total', models.PositiveIntegerField(default=0)),
                        ('made', models.PositiveIntegerField(default=0)),
                        ('waiting', models.PositiveIntegerField(default=0)),
                        ('left', models.PositiveIntegerField(default=0, help_text='Rows left alone, each with what is wrong with it.')),
                        ('stop_requested_at', models.DateTimeField(blank=True, null=True)),
                        ('started_at', models.DateTimeField(blank=True, null=True)),
                        ('moved_at', models.DateTimeField(blank=True, help_text='When rows were last dealt with.', null=True)),
                        ('finished_at', models.DateTimeField(blank=True, null=True)),
                        ('file', models.BinaryField(blank=True, help_text='What a worker is to read, or what it made.', null=True)),
                        ('problem', models.CharField(blank=True, help_text='Why the file could not be read.', max_length=300)),
                    ],
                    options={
                        'ordering': ['-sent_at'],
                    },
                ),
                migrations.CreateModel(
                    name='Attachment',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='catalogue.service')),
                        ('kind', models.CharField(choices=[('photo', 'Photo'), ('document', 'Document')], max_length=10)),
                        ('title', models.CharField(help_text="What it shows, for those who cannot see it; or the paper's name.", max_length=200)),
                        ('file', models.FileField(upload_to='attachments/%Y/%m/')),
                        ('content_type', models.CharField(max_length=60)),
                        ('size', models.PositiveIntegerField(help_text='In bytes.')),
                        ('is_shown', models.BooleanField(default=True, help_text="False while it waits for a curator's approval.")),
                        ('added_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('added_at', models.DateTimeField()),
                    ],
                    options={
                        'ordering': ['kind', 'added_at'],
                    },
                ),
                migrations.CreateModel(
                    name='ScheduleException',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='schedule_exceptions', to='catalogue.service')),
                        ('starts_on', models.DateField()),
                        ('ends_on', models.DateField()),
                        ('opens_at', models.TimeField(blank=True, help_text='Empty: closed.', null=True)),
                        ('closes_at', models.TimeField(blank=True, null=True)),
                        ('reason', models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        'ordering': ['starts_on'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='exception_ends_after_it_begins', violation_error_message='The last day cannot be before the first.'), models.CheckConstraint(condition=models.Q(models.Q(('closes_at__isnull', True), ('opens_at__isnull', True)), models.Q(('closes_at__isnull', False), ('opens_at__isnull', False)), _connector='OR'), name='exception_closed_or_with_times', violation_error_message='Give both times, or none when it is closed.')],
                    },
                ),
                migrations.CreateModel(
                    name='SchoolHoliday',
                    fields=[
                        ('id', models.AutoField(primary_key=True, serialize=False)),
                        ('lad', models.CharField(blank=True, help_text='GSS code of the council; empty: everywhere.', max_length=9)),
                        ('name', models.CharField(max_length=80)),
                        ('starts_on', models.DateField()),
                        ('ends_on', models.DateField()),
                    ],
                    options={
                        'ordering': ['starts_on'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='holiday_ends_after_it_begins', violation_error_message='The last day cannot be before the first.'), models.UniqueConstraint(fields=('lad', 'starts_on', 'name'), name='holiday_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Postcode',
                    fields=[
                        ('postcode', models.CharField(db_collation='C', help_text='With one space: "PR1 8XY".', max_length=8, primary_key=True, serialize=False)),
                        ('quality', models.PositiveSmallIntegerField(default=10)),
                        ('easting', models.IntegerField(help_text='Metres of the National Grid.')),
                        ('northing', models.IntegerField(help_text='Metres of the National Grid.')),
                        ('lad', models.CharField(blank=True, help_text='GSS code of the district; empty: not known.', max_length=9)),
                        ('ward', models.CharField(blank=True, max_length=9)),
                    ],
                ),
                migrations.CreateModel(
                    name='Outcode',
                    fields=[
                        ('code', models.CharField(max_length=4, primary_key=True, serialize=False)),
                        ('town', models.CharField(blank=True, max_length=80)),
                        ('point', django.contrib.gis.db.models.fields.PointField(srid=27700)),
                        ('lad', models.CharField(blank=True, max_length=9)),
                    ],
                ),
                migrations.CreateModel(
                    name='Area',
                    fields=[
                        ('id', models.AutoField(primary_key=True, serialize=False)),
                        ('code', models.CharField(max_length=9, unique=True)),
                        ('name', models.CharField(max_length=120)),
                        ('kind', models.CharField(choices=[('icb', 'Integrated care board'), ('district', 'District'), ('ward', 'Ward'), ('msoa', 'Middle-layer area'), ('lsoa', 'Small area')], max_length=10)),
                        ('parent_code', models.CharField(blank=True, max_length=9)),
                        ('outline', django.contrib.gis.db.models.fields.MultiPolygonField(srid=27700)),
                    ],
                    options={
                        'ordering': ['kind', 'name'],
                    },
                ),
                migrations.CreateModel(
                    name='ImportRun',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(max_length=30)),
                        ('source', models.CharField(max_length=500)),
                        ('status', models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('failed', 'Failed: nothing was changed'), ('stopped', 'Stopped by somebody: nothing was changed')], default='running', max_length=10)),
                        ('started_at', models.DateTimeField(auto_now_add=True)),
                        ('finished_at', models.DateTimeField(null=True)),
                        ('added', models.PositiveIntegerField(default=0)),
                        ('changed', models.PositiveIntegerField(default=0)),
                        ('unchanged', models.PositiveIntegerField(default=0)),
                        ('rejected', models.PositiveIntegerField(default=0)),
                        ('incomplete', models.PositiveIntegerField(default=0, help_text='Values left out of records that were otherwise kept.')),
                        ('error', models.TextField(blank=True)),
                        ('notes', models.JSONField(default=list, help_text='What is not wrong but worth knowing, with how often: [[times, words], …].')),
                        ('feed', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='catalogue.source')),
                        ('stage', models.CharField(blank=True, help_text='What it is doing now.', max_length=60)),
                        ('done', models.PositiveIntegerField(default=0)),
                        ('total', models.PositiveIntegerField(blank=True, null=True)),
                        ('stop_requested_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-started_at'],
                    },
                ),
                migrations.CreateModel(
                    name='ImportReject',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rejects', to='catalogue.importrun')),
                        ('row', models.CharField(help_text='Row number, or path in the document.', max_length=200)),
                        ('field', models.CharField(blank=True, max_length=100)),
                        ('reason', models.CharField(max_length=500)),
                        ('advice', models.CharField(max_length=500)),
                        ('record', models.JSONField(default=dict)),
                        ('record_kept', models.BooleanField(default=False, help_text='Only this value was left out; the record came in without it.')),
                    ],
                ),
                migrations.CreateModel(
                    name='NoLetters',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('email', models.EmailField(help_text='In small letters.', max_length=254)),
                        ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='no_letters', to='catalogue.service')),
                        ('why', models.CharField(choices=[('stopped', 'The owner stopped letters'), ('bounced', 'Mail came back')], max_length=10)),
                        ('since', models.DateTimeField()),
                        ('code', models.CharField(blank=True, help_text="What the receiver's mail server said: 5.1.1 is “no such mailbox”.", max_length=20)),
                    ],
                    options={
                        'ordering': ['-since'],
                        'constraints': [models.UniqueConstraint(fields=('email', 'service', 'why'), name='no_letters_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('why', 'bounced'), _negated=True), ('service__isnull', True), _connector='OR'), name='mail_comes_back_from_an_address', violation_error_message='Mail that came back says something of the address, not of one service.')],
                    },
                ),
                migrations.CreateModel(
                    name='Location',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('location_type', models.CharField(choices=[('physical', 'Building'), ('postal', 'Postal address'), ('virtual', 'Online or by phone')], default='physical', max_length=10)),
                        ('name', models.CharField(blank=True, max_length=255)),
                        ('point', django.contrib.gis.db.models.fields.PointField(blank=True, null=True, srid=27700)),
                        ('uprn', models.CharField(blank=True, max_length=12)),
                        ('cqc_location_id', models.CharField(blank=True, max_length=20, null=True, unique=True)),
                        ('ods_code', models.CharField(blank=True, max_length=10, null=True, unique=True)),
                        ('is_confidential', models.BooleanField(default=False)),
                        ('source', models.CharField(blank=True, max_length=100)),
                        ('source_id', models.CharField(blank=True, max_length=200)),
                        ('source_hash', models.CharField(blank=True, max_length=64)),
                    ],
                ),
                migrations.CreateModel(
                    name='Address',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to='catalogue.location')),
                        ('address_1', models.CharField(max_length=255)),
                        ('address_2', models.CharField(blank=True, max_length=255)),
                        ('city', models.CharField(max_length=100)),
                        ('region', models.CharField(blank=True, max_length=100)),
                        ('state_province', models.CharField(blank=True, help_text="County, in Open Referral's word.", max_length=100)),
                        ('postal_code', models.CharField(max_length=10)),
                        ('country', models.CharField(default='GB', max_length=2)),
                        ('address_type', models.CharField(default='physical', max_length=20)),
                    ],
                    options={
                        'verbose_name_plural': 'addresses',
                    },
                ),
                migrations.CreateModel(
                    name='ServiceAtLocation',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='service_at_locations', to='catalogue.service')),
                        ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='service_at_locations', to='catalogue.location')),
                        ('description', models.TextField(blank=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('service', 'location'), name='service_once_per_location')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceArea',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='service_areas', to='catalogue.service')),
                        ('name', models.CharField(blank=True, max_length=200)),
                        ('area', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='service_areas', to='catalogue.area')),
                        ('extent', django.contrib.gis.db.models.fields.MultiPolygonField(blank=True, help_text='Drawn by hand, if no coded area fits.', null=True, srid=27700)),
                        ('uri', models.CharField(blank=True, max_length=255)),
                        ('rule', models.CharField(choices=[('required', 'only people who live there'), ('excluded', 'nobody who lives there'), ('preferred', 'first people who live there')], default='required', max_length=10)),
                    ],
                ),
                migrations.CreateModel(
                    name='Organization',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=255)),
                        ('description', models.TextField(blank=True)),
                        ('kind', models.CharField(choices=[('hospital', 'Hospital'), ('practice', 'General practice'), ('council', 'Council'), ('provider', 'Care provider'), ('charity', 'Charity or community group'), ('nhs-community', 'NHS community or mental health provider'), ('icb', 'Integrated care board'), ('other', 'Other')], default='provider', max_length=20)),
                        ('email', models.EmailField(blank=True, max_length=254)),
                        ('website', models.URLField(blank=True, max_length=500)),
                        ('ods_code', models.CharField(blank=True, max_length=10, null=True, unique=True)),
                        ('cqc_provider_id', models.CharField(blank=True, max_length=20, null=True, unique=True)),
                        ('company_number', models.CharField(blank=True, max_length=12)),
                        ('charity_number', models.CharField(blank=True, max_length=12)),
                        ('is_confidential', models.BooleanField(default=False)),
                        ('edits_need_approval', models.BooleanField(default=False, help_text='A curator approves what this organisation changes in its entries.')),
                        ('source', models.CharField(blank=True, help_text='Who published this record, and where.', max_length=100)),
                        ('source_id', models.CharField(blank=True, max_length=200)),
                        ('source_hash', models.CharField(blank=True, max_length=64)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('modified_at', models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        'ordering': ['name'],
                        'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_organizationevent" ("charity_number", "company_number", "cqc_provider_id", "created_at", "description", "edits_need_approval", "email", "id", "is_confidential", "kind", "modified_at", "name", "ods_code", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source", "source_hash", "source_id", "website") SELECT new_values."charity_number", new_values."company_number", new_values."cqc_provider_id", new_values."created_at", new_values."description", new_values."edits_need_approval", new_values."email", new_values."id", new_values."is_confidential", new_values."kind", new_values."modified_at", new_values."name", new_values."ods_code", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."source", new_values."source_hash", new_values."source_id", new_values."website" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='1609c19652f9fc960755a5abdbec3bd983efc697', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_a1980', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_organization', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_organizationevent" ("charity_number", "company_number", "cqc_provider_id", "created_at", "description", "edits_need_approval", "email", "id", "is_confidential", "kind", "modified_at", "name", "ods_code", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source", "source_hash", "source_id", "website") SELECT new_values."charity_number", new_values."company_number", new_values."cqc_provider_id", new_values."created_at", new_values."description", new_values."edits_need_approval", new_values."email", new_values."id", new_values."is_confidential", new_values."kind", new_values."modified_at", new_values."name", new_values."ods_code", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."source", new_values."source_hash", new_values."source_id", new_values."website" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='2236d1760fb055b2864a67be11c5753fe09047b9', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_2fafc', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_organization', when='AFTER'))],
                    },
                ),
                migrations.CreateModel(
                    name='OrganizationEvent',
                    fields=[
                        ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                        ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                        ('pgh_label', models.TextField(help_text='The event label.')),
                        ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='catalogue.organization')),
                        ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                        ('name', models.CharField(max_length=255)),
                        ('description', models.TextField(blank=True)),
                        ('kind', models.CharField(choices=[('hospital', 'Hospital'), ('practice', 'General practice'), ('council', 'Council'), ('provider', 'Care provider'), ('charity', 'Charity or community group'), ('nhs-community', 'NHS community or mental health provider'), ('icb', 'Integrated care board'), ('other', 'Other')], default='provider', max_length=20)),
                        ('email', models.EmailField(blank=True, max_length=254)),
                        ('website', models.URLField(blank=True, max_length=500)),
                        ('ods_code', models.CharField(blank=True, max_length=10, null=True)),
                        ('cqc_provider_id', models.CharField(blank=True, max_length=20, null=True)),
                        ('company_number', models.CharField(blank=True, max_length=12)),
                        ('charity_number', models.CharField(blank=True, max_length=12)),
                        ('is_confidential', models.BooleanField(default=False)),
                        ('edits_need_approval', models.BooleanField(default=False, help_text='A curator approves what this organisation changes in its entries.')),
                        ('source', models.CharField(blank=True, help_text='Who published this record, and where.', max_length=100)),
                        ('source_id', models.CharField(blank=True, max_length=200)),
                        ('source_hash', models.CharField(blank=True, max_length=64)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('modified_at', models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='Practice',
                    fields=[
                        ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='practice', serialize=False, to='catalogue.organization')),
                        ('pcn_code', models.CharField(blank=True, max_length=10)),
                        ('pcn_name', models.CharField(blank=True, max_length=200)),
                        ('icb_code', models.CharField(blank=True, max_length=10)),
                    ],
                ),
                migrations.CreateModel(
                    name='User',
                    fields=[
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                        ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                        ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                        ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                        ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail address')),
                        ('role', models.CharField(choices=[('referrer', 'Referrer'), ('provider', 'Provider'), ('manager', 'Manager'), ('curator', 'Directory curator'), ('administrator', 'Administrator')], max_length=20)),
                        ('job_title', models.CharField(blank=True, max_length=100)),
                        ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='users', to='catalogue.organization')),
                        ('keeps_keys', models.BooleanField(db_default=False, default=False, help_text='Of a provider: makes the keys by which its computer systems tell what is free.')),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('organization__isnull', False), ('role', 'administrator'), _connector='OR'), name='user_has_an_organization', violation_error_message='Everybody but an administrator belongs to an organisation.')],
                    },
                    managers=[
                        ('objects', catalogue.models.people.UserManager()),
                    ],
                ),
                migrations.CreateModel(
                    name='PublicationChange',
                    fields=[
                        ('service', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='publication', serialize=False, to='catalogue.service')),
                        ('xid', core.models.Xid8Field(editable=False, help_text='Transaction of the last change.')),
                        ('first_xid', core.models.Xid8Field(editable=False, help_text='Transaction in which it became public.')),
                        ('changed_at', models.DateTimeField()),
                        ('is_public', models.BooleanField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['xid', 'service'], name='publication_cursor'), models.Index(fields=['changed_at'], name='publication_changed_at')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceSearch',
                    fields=[
                        ('service', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='search', serialize=False, to='catalogue.service')),
                        ('is_public', models.BooleanField()),
                        ('name', models.CharField(max_length=255)),
                        ('names', models.TextField(help_text='Names and towns in small letters, for slips of spelling.')),
                        ('words', django.contrib.postgres.search.SearchVectorField(help_text='Words, and marks: terms (#t), those it excludes (#x), days (#d), #free, #online.')),
                        ('towns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                        ('points', django.contrib.gis.db.models.fields.MultiPointField(null=True, srid=27700)),
                        ('minimum_age', models.PositiveSmallIntegerField(null=True)),
                        ('maximum_age', models.PositiveSmallIntegerField(null=True)),
                        ('assured_on', models.DateField(null=True)),
                    ],
                    options={
                        'verbose_name_plural': 'service searches',
                        'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['words'], gin_pending_list_limit=256, name='search_words'), models.Index(models.OrderBy(models.F('assured_on'), descending=True, nulls_last=True), models.F('name'), models.F('service'), name='search_order')],
                    },
                ),
                migrations.CreateModel(
                    name='Source',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(help_text='Who publishes it. Records carry this name, so it must not change.', max_length=100, unique=True)),
                        ('kind', models.CharField(choices=[('oruk-3', 'Open Referral UK 3'), ('oruk-1', 'Open Referral UK 1'), ('hsds-package', 'HSDS data package (zip or csv)'), ('spreadsheet', 'Spreadsheet'), ('cqc', 'CQC register'), ('ods', 'NHS organisation data'), ('postcodes', 'Postcodes'), ('boundaries', 'Outlines of areas'), ('own', 'Kept in Lune')], max_length=20)),
                        ('url', models.URLField(blank=True, help_text='Base address of the feed, or of the file. Empty: uploaded by hand.', max_length=500)),
                        ('licence', models.CharField(blank=True, help_text='Such as: Open Government Licence 3.0.', max_length=100)),
                        ('licence_url', models.URLField(blank=True, max_length=500)),
                        ('attribution', models.CharField(blank=True, help_text='Words that the licence asks to be shown.', max_length=500)),
                        ('contact_email', models.EmailField(blank=True, help_text='Who mends mistakes at the source.', max_length=254)),
                        ('is_active', models.BooleanField(default=True)),
                        ('allow_private', models.BooleanField(default=False, help_text='The address may lie inside our own network. For administrators only.')),
                        ('every_hours', models.PositiveSmallIntegerField(blank=True, help_text='Empty: only when somebody asks for it.', null=True)),
                        ('next_run_at', models.DateTimeField(blank=True, null=True)),
                        ('failures', models.PositiveSmallIntegerField(default=0, help_text='How many runs failed since the last good one.')),
                        ('capabilities', models.JSONField(blank=True, default=dict, help_text='What the feed was found to support.')),
                        ('probed_at', models.DateTimeField(blank=True, null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        'ordering': ['name'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('every_hours__isnull', True), ('every_hours__gte', 1), _connector='OR'), name='source_interval_positive', violation_error_message='A source is read at most once an hour.')],
                    },
                ),
                migrations.CreateModel(
                    name='SourceRecord',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='records', to='catalogue.source')),
                        ('kind', models.CharField(choices=[('service', 'Service'), ('organization', 'Organisation'), ('location', 'Place')], default='service', max_length=12)),
                        ('foreign_id', models.CharField(help_text="The publisher's own id.", max_length=200)),
                        ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='source_records', to='catalogue.service')),
                        ('content', models.JSONField(default=dict)),
                        ('content_hash', models.CharField(blank=True, max_length=64)),
                        ('first_seen_at', models.DateTimeField()),
                        ('fetched_at', models.DateTimeField(help_text='When the content was last different.')),
                        ('last_seen_at', models.DateTimeField(help_text='When the source last had it.')),
                        ('missing_since', models.DateTimeField(blank=True, help_text='First whole crawl that did not have it.', null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('source', 'kind', 'foreign_id'), name='one_record_per_source_id')],
                    },
                ),
                migrations.CreateModel(
                    name='Taxonomy',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('slug', models.SlugField(unique=True)),
                        ('name', models.CharField(max_length=200)),
                        ('description', models.TextField()),
                        ('uri', models.URLField(blank=True)),
                        ('version', models.CharField(blank=True, max_length=40)),
                    ],
                    options={
                        'verbose_name_plural': 'taxonomies',
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='TaxonomyTerm',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('taxonomy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='catalogue.taxonomy')),
                        ('code', models.CharField(max_length=100)),
                        ('name', models.CharField(max_length=200)),
                        ('description', models.TextField(blank=True)),
                        ('group', models.CharField(blank=True, help_text='Heading under which forms show it.', max_length=60)),
                        ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='catalogue.taxonomyterm')),
                        ('bit', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('term_uri', models.CharField(blank=True, help_text='CURIE or URI in a national list.', max_length=255)),
                        ('synonyms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                        ('snomed_refset', models.CharField(blank=True, help_text='SNOMED CT reference set with the codes that mean it.', max_length=18)),
                        ('retired_at', models.DateTimeField(blank=True, null=True)),
                        ('retired_reason', models.CharField(blank=True, max_length=300)),
                        ('replaced_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaces', to='catalogue.taxonomyterm')),
                        ('unconfirmed', models.BooleanField(default=False, help_text='What its code means has not been checked by a clinician.')),
                        ('edited_at', models.DateTimeField(blank=True, help_text='When a curator last changed it; imports then leave its words alone.', null=True)),
                    ],
                    options={
                        'ordering': ['taxonomy', 'name'],
                        'constraints': [models.UniqueConstraint(fields=('taxonomy', 'code'), name='one_term_per_code'), models.UniqueConstraint(fields=('taxonomy', 'bit'), name='one_term_per_bit'), models.CheckConstraint(condition=models.Q(('bit__isnull', True), ('bit__lte', 123), _connector='OR'), name='bit_fits_two_words', violation_error_message="A term's bit must be between 0 and 123.")],
                        'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_taxonomytermevent" ("bit", "code", "description", "edited_at", "group", "id", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_by_id", "retired_at", "retired_reason", "snomed_refset", "synonyms", "taxonomy_id", "term_uri", "unconfirmed") SELECT new_values."bit", new_values."code", new_values."description", new_values."edited_at", new_values."group", new_values."id", new_values."name", new_values."parent_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."replaced_by_id", new_values."retired_at", new_values."retired_reason", new_values."snomed_refset", new_values."synonyms", new_values."taxonomy_id", new_values."term_uri", new_values."unconfirmed" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='2f72ea86de4c3b58952069b8e57749527064ac0d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_fdabc', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_taxonomyterm', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_taxonomytermevent" ("bit", "code", "description", "edited_at", "group", "id", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_by_id", "retired_at", "retired_reason", "snomed_refset", "synonyms", "taxonomy_id", "term_uri", "unconfirmed") SELECT new_values."bit", new_values."code", new_values."description", new_values."edited_at", new_values."group", new_values."id", new_values."name", new_values."parent_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."replaced_by_id", new_values."retired_at", new_values."retired_reason", new_values."snomed_refset", new_values."synonyms", new_values."taxonomy_id", new_values."term_uri", new_values."unconfirmed" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='fa33dbf47a05bde6f693be479d02863d33f14543', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_f4def', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_taxonomyterm', when='AFTER'))],
                    },
                ),
                migrations.CreateModel(
                    name='TaxonomyTermEvent',
                    fields=[
                        ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                        ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                        ('pgh_label', models.TextField(help_text='The event label.')),
                        ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='catalogue.taxonomyterm')),
                        ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                        ('taxonomy', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.taxonomy')),
                        ('code', models.CharField(max_length=100)),
                        ('name', models.CharField(max_length=200)),
                        ('description', models.TextField(blank=True)),
                        ('group', models.CharField(blank=True, help_text='Heading under which forms show it.', max_length=60)),
                        ('parent', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.taxonomyterm')),
                        ('bit', models.PositiveSmallIntegerField(blank=True, null=True)),
                        ('term_uri', models.CharField(blank=True, help_text='CURIE or URI in a national list.', max_length=255)),
                        ('synonyms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                        ('snomed_refset', models.CharField(blank=True, help_text='SNOMED CT reference set with the codes that mean it.', max_length=18)),
                        ('retired_at', models.DateTimeField(blank=True, null=True)),
                        ('retired_reason', models.CharField(blank=True, max_length=300)),
                        ('replaced_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.taxonomyterm')),
                        ('unconfirmed', models.BooleanField(default=False, help_text='What its code means has not been checked by a clinician.')),
                        ('edited_at', models.DateTimeField(blank=True, help_text='When a curator last changed it; imports then leave its words alone.', null=True)),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='TermMerge',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('gone', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges_away', to='catalogue.taxonomyterm')),
                        ('kept', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges_here', to='catalogue.taxonomyterm')),
                        ('moved', models.JSONField(default=dict, help_text='Ids of the rows that were moved, by table and column; and synonyms that were added.')),
                        ('merged_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('merged_at', models.DateTimeField()),
                        ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-merged_at'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('gone', models.F('kept')), _negated=True), name='term_merge_of_two', violation_error_message='A term cannot be merged with itself.')],
                    },
                ),
                migrations.CreateModel(
                    name='UsageCount',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('kind', models.CharField(choices=[('visitor', 'Visitors'), ('visit', 'Visits'), ('search', 'Searches'), ('no-answer', 'Searches without an answer'), ('opened', 'Services opened'), ('phone', 'Presses on a phone number'), ('email', 'Presses on an e-mail address'), ('web', 'Presses on a web address'), ('referral', 'Referrals begun')], max_length=10)),
                        ('what', models.CharField(blank=True, help_text='What was searched for, in small letters; empty for the rest.', max_length=60)),
                        ('area', models.CharField(blank=True, help_text='Code of the district that was searched; empty: none, or not known.', max_length=9)),
                        ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='catalogue.service')),
                        ('count', models.PositiveIntegerField()),
                    ],
                    options={
                        'ordering': ['day', 'kind'],
                        'constraints': [models.UniqueConstraint(fields=('day', 'kind', 'what', 'area', 'service'), name='usage_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('count__gt', 0)), name='usage_counted', violation_error_message='Something that never happened is not counted.')],
                    },
                ),
            ],
        ),
        migrations.RunSQL([TABLES, "SET LOCAL check_function_bodies = off", FUNCTIONS, VIEWS, TRIGGERS], DROP),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
