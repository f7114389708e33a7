"""All that the migrations up to 0015_values_for_old_processes make, in one step: a new database need not draw the models hundreds of times.

A database at one of those goes on by them: they stay until no site can be at any.
Besides the tables: the triggers that keep the facts which ranking reads, and the weights.
"""

import core.models
import core.tables
import django.contrib.gis.db.models.fields
import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models
from matching import reference


INDEXES = """
ALTER TABLE matching_poolfact SET (fillfactor=80, parallel_workers=0);
CREATE INDEX matching_poolfact_placeless ON matching_poolfact USING btree (care_type) WHERE (is_open AND (point IS NULL));
CREATE INDEX matching_poolfact_reach ON matching_poolfact USING gist (care_type, point) WHERE (is_open AND (point IS NOT NULL));
"""

#: Bodies are looked at when they first run: they name one another, and the view that comes after them.
FUNCTIONS = """
CREATE FUNCTION matching_lean() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT c.leaning, c.said_yes, c.answers INTO NEW.leaning, NEW.said_yes, NEW.answers
    FROM matching_poolchance c WHERE c.pool_id = NEW.pool_id;
    RETURN NEW;
END $$;

CREATE FUNCTION matching_note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO matching_factchange (pool_id) SELECT pool_id FROM old_rows ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO matching_factchange (pool_id) SELECT pool_id FROM new_rows ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_chance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE matching_poolfact f SET leaning = NULL, said_yes = NULL, answers = NULL FROM old_rows o WHERE f.pool_id = o.pool_id;
    ELSE
        UPDATE matching_poolfact f SET leaning = n.leaning, said_yes = n.said_yes, answers = n.answers FROM new_rows n
        WHERE f.pool_id = n.pool_id AND (f.leaning, f.said_yes, f.answers) IS DISTINCT FROM (n.leaning, n.said_yes, n.answers);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_freshness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT DISTINCT p.service_id FROM capacity_servicecapacity p
        WHERE p.care_type_id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.care_type_id END, CASE WHEN TG_OP <> 'INSERT' THEN OLD.care_type_id END)));
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT DISTINCT p.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN capacity_servicecapacity p ON p.location_id = n.id
        WHERE n.location_type <> o.location_type OR n.is_confidential <> o.is_confidential OR n.point IS DISTINCT FROM o.point));
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(SELECT id FROM catalogue_service WHERE organization_id = NEW.id ORDER BY id));
    RETURN NULL;
END $$;

CREATE FUNCTION matching_on_pool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM matching_poolfact WHERE pool_id = OLD.id;
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM matching_refresh(ARRAY[NEW.service_id]);
    ELSIF (NEW.service_id, NEW.location_id, NEW.care_type_id, NEW.is_open, NEW.for_sex, NEW.per, NEW.starts_at, NEW.session_of_id) IS DISTINCT FROM (OLD.service_id, OLD.location_id, OLD.care_type_id, OLD.is_open, OLD.for_sex, OLD.per, OLD.starts_at, OLD.session_of_id) THEN
        PERFORM matching_refresh(ARRAY[OLD.service_id, NEW.service_id]);
    ELSE
        UPDATE matching_poolfact SET free = NEW.available - NEW.held, maximum = NEW.maximum, status = matching_status_code(NEW.status), reported_at = NEW.reported_at, wait_days = NEW.expected_wait_days WHERE pool_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

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

CREATE FUNCTION matching_on_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id) WHERE (n.status, n.catchment_m, n.price_week, n.cqc_rating, n.assured_date, n.is_confidential, n.organization_id, n.merged_into_id) IS DISTINCT FROM (o.status, o.catchment_m, o.price_week, o.cqc_rating, o.assured_date, o.is_confidential, o.organization_id, o.merged_into_id)));
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

CREATE FUNCTION matching_on_term() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT DISTINCT c.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_eligibilitycriterion c ON c.term_id = n.id
        WHERE (n.code, n.bit, n.taxonomy_id) IS DISTINCT FROM (o.code, o.bit, o.taxonomy_id)));
    RETURN NULL;
END $$;

CREATE FUNCTION matching_refresh(services uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(services) = 0 OR current_setting('lune.defer_facts', true) = 'on' THEN
        RETURN;
    END IF;
    PERFORM FROM catalogue_service WHERE id = ANY (services) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM matching_poolfact WHERE service_id = ANY (services) ORDER BY pool_id FOR UPDATE;
    

    WITH wanted AS MATERIALIZED (SELECT pool_id, service_id, care_type, is_open, point, online, catchment_m, area_ids, accepts, requires, excludes, prefers, funding, languages, sources, min_age, max_age, sex, price_pence, cqc_rating, assured_on, free, maximum, status, reported_at, fresh_s, expire_s, has_extent, conditions_in, conditions_out, conditions_ok, conditions_first, registered_in, registered_out, registered_first, funding_out, languages_out, sources_out, funding_first, languages_first, sources_first, marks_until, coded, areas_out, areas_first, drawn, funding_must, languages_must, sources_must, own_accepts, own_requires, own_excludes, own_prefers, wait_days, starts_at, series, times FROM matching_poolfact_source WHERE service_id = ANY (services)),
    kept AS (
    INSERT INTO matching_poolfact AS f (pool_id, service_id, care_type, is_open, point, online, catchment_m, area_ids, accepts, requires, excludes, prefers, funding, languages, sources, min_age, max_age, sex, price_pence, cqc_rating, assured_on, free, maximum, status, reported_at, fresh_s, expire_s, has_extent, conditions_in, conditions_out, conditions_ok, conditions_first, registered_in, registered_out, registered_first, funding_out, languages_out, sources_out, funding_first, languages_first, sources_first, marks_until, coded, areas_out, areas_first, drawn, funding_must, languages_must, sources_must, own_accepts, own_requires, own_excludes, own_prefers, wait_days, starts_at, series, times)
    SELECT pool_id, service_id, care_type, is_open, point, online, catchment_m, area_ids, accepts, requires, excludes, prefers, funding, languages, sources, min_age, max_age, sex, price_pence, cqc_rating, assured_on, free, maximum, status, reported_at, fresh_s, expire_s, has_extent, conditions_in, conditions_out, conditions_ok, conditions_first, registered_in, registered_out, registered_first, funding_out, languages_out, sources_out, funding_first, languages_first, sources_first, marks_until, coded, areas_out, areas_first, drawn, funding_must, languages_must, sources_must, own_accepts, own_requires, own_excludes, own_prefers, wait_days, starts_at, series, times FROM wanted
    
    ON CONFLICT (pool_id) DO UPDATE SET service_id = excluded.service_id, care_type = excluded.care_type, is_open = excluded.is_open, point = excluded.point, online = excluded.online, catchment_m = excluded.catchment_m, area_ids = excluded.area_ids, accepts = excluded.accepts, requires = excluded.requires, excludes = excluded.excludes, prefers = excluded.prefers, funding = excluded.funding, languages = excluded.languages, sources = excluded.sources, min_age = excluded.min_age, max_age = excluded.max_age, sex = excluded.sex, price_pence = excluded.price_pence, cqc_rating = excluded.cqc_rating, assured_on = excluded.assured_on, free = excluded.free, maximum = excluded.maximum, status = excluded.status, reported_at = excluded.reported_at, fresh_s = excluded.fresh_s, expire_s = excluded.expire_s, has_extent = excluded.has_extent, conditions_in = excluded.conditions_in, conditions_out = excluded.conditions_out, conditions_ok = excluded.conditions_ok, conditions_first = excluded.conditions_first, registered_in = excluded.registered_in, registered_out = excluded.registered_out, registered_first = excluded.registered_first, funding_out = excluded.funding_out, languages_out = excluded.languages_out, sources_out = excluded.sources_out, funding_first = excluded.funding_first, languages_first = excluded.languages_first, sources_first = excluded.sources_first, marks_until = excluded.marks_until, coded = excluded.coded, areas_out = excluded.areas_out, areas_first = excluded.areas_first, drawn = excluded.drawn, funding_must = excluded.funding_must, languages_must = excluded.languages_must, sources_must = excluded.sources_must, own_accepts = excluded.own_accepts, own_requires = excluded.own_requires, own_excludes = excluded.own_excludes, own_prefers = excluded.own_prefers, wait_days = excluded.wait_days, starts_at = excluded.starts_at, series = excluded.series, times = excluded.times
    WHERE (f.service_id, f.care_type, f.is_open, f.point, f.online, f.catchment_m, f.area_ids, f.accepts, f.requires, f.excludes, f.prefers, f.funding, f.languages, f.sources, f.min_age, f.max_age, f.sex, f.price_pence, f.cqc_rating, f.assured_on, f.free, f.maximum, f.status, f.reported_at, f.fresh_s, f.expire_s, f.has_extent, f.conditions_in, f.conditions_out, f.conditions_ok, f.conditions_first, f.registered_in, f.registered_out, f.registered_first, f.funding_out, f.languages_out, f.sources_out, f.funding_first, f.languages_first, f.sources_first, f.marks_until, f.coded, f.areas_out, f.areas_first, f.drawn, f.funding_must, f.languages_must, f.sources_must, f.own_accepts, f.own_requires, f.own_excludes, f.own_prefers, f.wait_days, f.starts_at, f.series, f.times) IS DISTINCT FROM (excluded.service_id, excluded.care_type, excluded.is_open, excluded.point, excluded.online, excluded.catchment_m, excluded.area_ids, excluded.accepts, excluded.requires, excluded.excludes, excluded.prefers, excluded.funding, excluded.languages, excluded.sources, excluded.min_age, excluded.max_age, excluded.sex, excluded.price_pence, excluded.cqc_rating, excluded.assured_on, excluded.free, excluded.maximum, excluded.status, excluded.reported_at, excluded.fresh_s, excluded.expire_s, excluded.has_extent, excluded.conditions_in, excluded.conditions_out, excluded.conditions_ok, excluded.conditions_first, excluded.registered_in, excluded.registered_out, excluded.registered_first, excluded.funding_out, excluded.languages_out, excluded.sources_out, excluded.funding_first, excluded.languages_first, excluded.sources_first, excluded.marks_until, excluded.coded, excluded.areas_out, excluded.areas_first, excluded.drawn, excluded.funding_must, excluded.languages_must, excluded.sources_must, excluded.own_accepts, excluded.own_requires, excluded.own_excludes, excluded.own_prefers, excluded.wait_days, excluded.starts_at, excluded.series, excluded.times)
)
    DELETE FROM matching_poolfact f WHERE f.service_id = ANY (services) AND NOT EXISTS (SELECT FROM wanted w WHERE w.pool_id = f.pool_id);
END $$;

CREATE FUNCTION matching_refresh_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE matching_poolfact IN SHARE ROW EXCLUSIVE MODE;
    

    WITH wanted AS MATERIALIZED (SELECT pool_id, service_id, care_type, is_open, point, online, catchment_m, area_ids, accepts, requires, excludes, prefers, funding, languages, sources, min_age, max_age, sex, price_pence, cqc_rating, assured_on, free, maximum, status, reported_at, fresh_s, expire_s, has_extent, conditions_in, conditions_out, conditions_ok, conditions_first, registered_in, registered_out, registered_first, funding_out, languages_out, sources_out, funding_first, languages_first, sources_first, marks_until, coded, areas_out, areas_first, drawn, funding_must, languages_must, sources_must, own_accepts, own_requires, own_excludes, own_prefers, wait_days, starts_at, series, times FROM matching_poolfact_source ORDER BY care_type, point),
    kept AS (
    INSERT INTO matching_poolfact AS f (pool_id, service_id, care_type, is_open, point, online, catchment_m, area_ids, accepts, requires, excludes, prefers, funding, languages, sources, min_age, max_age, sex, price_pence, cqc_rating, assured_on, free, maximum, status, reported_at, fresh_s, expire_s, has_extent, conditions_in, conditions_out, conditions_ok, conditions_first, registered_in, registered_out, registered_first, funding_out, languages_out, sources_out, funding_first, languages_first, sources_first, marks_until, coded, areas_out, areas_first, drawn, funding_must, languages_must, sources_must, own_accepts, own_requires, own_excludes, own_prefers, wait_days, starts_at, series, times)
    SELECT pool_id, service_id, care_type, is_open, point, online, catchment_m, area_ids, accepts, requires, excludes, prefers, funding, languages, sources, min_age, max_age, sex, price_pence, cqc_rating, assured_on, free, maximum, status, reported_at, fresh_s, expire_s, has_extent, conditions_in, conditions_out, conditions_ok, conditions_first, registered_in, registered_out, registered_first, funding_out, languages_out, sources_out, funding_first, languages_first, sources_first, marks_until, coded, areas_out, areas_first, drawn, funding_must, languages_must, sources_must, own_accepts, own_requires, own_excludes, own_prefers, wait_days, starts_at, series, times FROM wanted
    
    ON CONFLICT (pool_id) DO UPDATE SET service_id = excluded.service_id, care_type = excluded.care_type, is_open = excluded.is_open, point = excluded.point, online = excluded.online, catchment_m = excluded.catchment_m, area_ids = excluded.area_ids, accepts = excluded.accepts, requires = excluded.requires, excludes = excluded.excludes, prefers = excluded.prefers, funding = excluded.funding, languages = excluded.languages, sources = excluded.sources, min_age = excluded.min_age, max_age = excluded.max_age, sex = excluded.sex, price_pence = excluded.price_pence, cqc_rating = excluded.cqc_rating, assured_on = excluded.assured_on, free = excluded.free, maximum = excluded.maximum, status = excluded.status, reported_at = excluded.reported_at, fresh_s = excluded.fresh_s, expire_s = excluded.expire_s, has_extent = excluded.has_extent, conditions_in = excluded.conditions_in, conditions_out = excluded.conditions_out, conditions_ok = excluded.conditions_ok, conditions_first = excluded.conditions_first, registered_in = excluded.registered_in, registered_out = excluded.registered_out, registered_first = excluded.registered_first, funding_out = excluded.funding_out, languages_out = excluded.languages_out, sources_out = excluded.sources_out, funding_first = excluded.funding_first, languages_first = excluded.languages_first, sources_first = excluded.sources_first, marks_until = excluded.marks_until, coded = excluded.coded, areas_out = excluded.areas_out, areas_first = excluded.areas_first, drawn = excluded.drawn, funding_must = excluded.funding_must, languages_must = excluded.languages_must, sources_must = excluded.sources_must, own_accepts = excluded.own_accepts, own_requires = excluded.own_requires, own_excludes = excluded.own_excludes, own_prefers = excluded.own_prefers, wait_days = excluded.wait_days, starts_at = excluded.starts_at, series = excluded.series, times = excluded.times
    WHERE (f.service_id, f.care_type, f.is_open, f.point, f.online, f.catchment_m, f.area_ids, f.accepts, f.requires, f.excludes, f.prefers, f.funding, f.languages, f.sources, f.min_age, f.max_age, f.sex, f.price_pence, f.cqc_rating, f.assured_on, f.free, f.maximum, f.status, f.reported_at, f.fresh_s, f.expire_s, f.has_extent, f.conditions_in, f.conditions_out, f.conditions_ok, f.conditions_first, f.registered_in, f.registered_out, f.registered_first, f.funding_out, f.languages_out, f.sources_out, f.funding_first, f.languages_first, f.sources_first, f.marks_until, f.coded, f.areas_out, f.areas_first, f.drawn, f.funding_must, f.languages_must, f.sources_must, f.own_accepts, f.own_requires, f.own_excludes, f.own_prefers, f.wait_days, f.starts_at, f.series, f.times) IS DISTINCT FROM (excluded.service_id, excluded.care_type, excluded.is_open, excluded.point, excluded.online, excluded.catchment_m, excluded.area_ids, excluded.accepts, excluded.requires, excluded.excludes, excluded.prefers, excluded.funding, excluded.languages, excluded.sources, excluded.min_age, excluded.max_age, excluded.sex, excluded.price_pence, excluded.cqc_rating, excluded.assured_on, excluded.free, excluded.maximum, excluded.status, excluded.reported_at, excluded.fresh_s, excluded.expire_s, excluded.has_extent, excluded.conditions_in, excluded.conditions_out, excluded.conditions_ok, excluded.conditions_first, excluded.registered_in, excluded.registered_out, excluded.registered_first, excluded.funding_out, excluded.languages_out, excluded.sources_out, excluded.funding_first, excluded.languages_first, excluded.sources_first, excluded.marks_until, excluded.coded, excluded.areas_out, excluded.areas_first, excluded.drawn, excluded.funding_must, excluded.languages_must, excluded.sources_must, excluded.own_accepts, excluded.own_requires, excluded.own_excludes, excluded.own_prefers, excluded.wait_days, excluded.starts_at, excluded.series, excluded.times)
)
    DELETE FROM matching_poolfact f WHERE NOT EXISTS (SELECT FROM wanted w WHERE w.pool_id = f.pool_id);
END $$;

CREATE FUNCTION matching_status_code(status text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE status WHEN 'capacity' THEN 0 WHEN 'no-capacity' THEN 1 WHEN 'waitlist' THEN 2 ELSE 3 END)::smallint
$$;

CREATE FUNCTION matching_times(freq text, byday text, begins date, opens time, closes time) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(bit_or(1 << day * 3 + part), 0) FROM generate_series(0, 6) AS day CROSS JOIN generate_series(0, 2) AS part
    WHERE (byday ~ (ARRAY['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'])[day + 1]
           OR byday = '' AND freq = 'WEEKLY' AND extract(isodow FROM begins) = day + 1)
      AND (opens IS NULL OR opens < (ARRAY['12:00', '17:00', '24:00'])[part + 1]::time)
      AND CASE
            WHEN opens IS NULL AND closes IS NULL THEN true
            WHEN closes IS NULL THEN opens >= (ARRAY['00:00', '12:00', '17:00'])[part + 1]::time
            WHEN closes <= coalesce(opens, '00:00') THEN true
            ELSE closes > (ARRAY['00:00', '12:00', '17:00'])[part + 1]::time END
$$;
"""

VIEW = """
CREATE VIEW matching_poolfact_source AS
SELECT
    p.id AS pool_id,
    p.service_id,
    ct.bit::smallint AS care_type,
    (p.is_open AND s.status = 'active') AS is_open,
    CASE WHEN l.point IS NOT NULL AND l.location_type <> 'virtual'
         THEN CASE WHEN (l.is_confidential OR s.is_confidential OR o.is_confidential) THEN ST_SetSRID(ST_MakePoint(floor(ST_X(l.point) / 5000) * 5000 + 2500, floor(ST_Y(l.point) / 5000) * 5000 + 2500), 27700) ELSE ST_SetSRID(ST_MakePoint(round(ST_X(l.point)), round(ST_Y(l.point))), 27700) END END::geometry(Point, 27700) AS point,
    coalesce(l.location_type = 'virtual', false) AS online,
    coalesce(s.catchment_m, 2147483647) AS catchment_m,
    (SELECT array_agg(DISTINCT a.area_id) FROM catalogue_servicearea a WHERE a.service_id = s.id AND a.area_id IS NOT NULL AND a.rule = 'required') AS area_ids,
    (SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit < 62 AND x.slug = 'need' AND c.rule IN ('accepts', 'required', 'preferred')) AS accepts,
    (SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit < 62 AND x.slug = 'need' AND c.rule IN ('required')) AS requires,
    (SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit < 62 AND x.slug = 'need' AND c.rule IN ('excluded')) AS excludes,
    (SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit < 62 AND x.slug = 'need' AND c.rule IN ('preferred')) AS prefers,
    (SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit < 62 AND x.slug = 'funding' AND c.rule IN ('accepts', 'required', 'preferred')) AS funding,
    (SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit < 62 AND x.slug = 'language' AND c.rule IN ('accepts', 'required', 'preferred')) AS languages,
    (SELECT coalesce(bit_or(1::bigint << t.bit), 0) FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id WHERE c.service_id = s.id AND t.bit < 62 AND x.slug = 'referral-source' AND c.rule IN ('accepts', 'required', 'preferred')) AS sources,
    e.minimum_age AS min_age,
    e.maximum_age AS max_age,
    (CASE
        WHEN p.for_sex = '' THEN CASE e.sex WHEN 'female' THEN 1 WHEN 'male' THEN 2 WHEN 'any' THEN 3 ELSE 0 END
        WHEN e.sex IN ('female', 'male') AND e.sex <> p.for_sex THEN 4
        ELSE CASE p.for_sex WHEN 'female' THEN 1 ELSE 2 END END)::smallint AS sex,
    (s.price_week * 100)::integer AS price_pence,
    s.cqc_rating,
    s.assured_date AS assured_on,
    p.available - p.held AS free,
    p.maximum,
    matching_status_code(p.status) AS status,
    p.reported_at,
    coalesce(extract(epoch FROM fp.fresh_for), 86400)::integer AS fresh_s,
    coalesce(extract(epoch FROM fp.expires_after), 259200)::integer AS expire_s,
    EXISTS (SELECT FROM catalogue_servicearea a WHERE a.service_id = s.id AND a.extent IS NOT NULL AND a.rule = 'required') AS has_extent,
    k.conditions_in, k.conditions_out, k.conditions_ok, k.conditions_first, g.registered_in, g.registered_out, g.registered_first, k.funding_out, k.languages_out, k.sources_out, k.funding_first, k.languages_first, k.sources_first, m.marks_until,
    (num_nonnulls(k.conditions_in, k.conditions_out, k.conditions_ok, k.conditions_first, g.registered_in, g.registered_out, g.registered_first, k.funding_out, k.languages_out, k.sources_out, k.funding_first, k.languages_first, k.sources_first, r.areas_out, r.areas_first, r.drawn, n.funding_must, n.languages_must, n.sources_must, n.own_accepts, n.own_requires, n.own_excludes, n.own_prefers) > 0) AS coded,
    r.areas_out, r.areas_first, r.drawn, n.funding_must, n.languages_must, n.sources_must, n.own_accepts, n.own_requires, n.own_excludes, n.own_prefers,
    p.expected_wait_days AS wait_days, p.starts_at AS starts_at, p.session_of_id AS series,
    CASE
        WHEN p.starts_at IS NOT NULL THEN matching_times(
            'WEEKLY', '', (p.starts_at AT TIME ZONE 'Europe/London')::date, (p.starts_at AT TIME ZONE 'Europe/London')::time, NULL)
        ELSE nullif((SELECT bit_or(matching_times(h.freq, h.byday, h.dtstart, h.opens_at, h.closes_at)) FROM catalogue_schedule h
            WHERE h.service_id = s.id AND (h.valid_to IS NULL OR h.valid_to >= current_date)), 0)
    END AS times
FROM capacity_servicecapacity p
JOIN catalogue_service s ON s.id = p.service_id
JOIN catalogue_taxonomyterm ct ON ct.id = p.care_type_id AND ct.bit IS NOT NULL
JOIN catalogue_taxonomy cx ON cx.id = ct.taxonomy_id AND cx.slug = 'care-type'
JOIN catalogue_organization o ON o.id = s.organization_id
LEFT JOIN catalogue_location l ON l.id = p.location_id
LEFT JOIN catalogue_eligibility e ON e.service_id = s.id
LEFT JOIN capacity_freshnesspolicy fp ON fp.care_type_id = p.care_type_id
LEFT JOIN LATERAL (
    SELECT array_agg(t.code ORDER BY t.code) FILTER (WHERE c.rule = 'required' AND x.slug = 'condition') AS conditions_in, array_agg(t.code ORDER BY t.code) FILTER (WHERE c.rule = 'excluded' AND x.slug = 'condition') AS conditions_out, array_agg(t.code ORDER BY t.code) FILTER (WHERE c.rule <> 'excluded' AND x.slug = 'condition') AS conditions_ok, array_agg(t.code ORDER BY t.code) FILTER (WHERE c.rule = 'preferred' AND x.slug = 'condition') AS conditions_first, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'excluded' AND x.slug = 'funding') AS funding_out, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'excluded' AND x.slug = 'language') AS languages_out, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'excluded' AND x.slug = 'referral-source') AS sources_out, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'preferred' AND x.slug = 'funding') AS funding_first, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'preferred' AND x.slug = 'language') AS languages_first, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'preferred' AND x.slug = 'referral-source') AS sources_first
    FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id
    WHERE c.service_id = s.id AND x.slug IN ('condition', 'funding', 'language', 'referral-source')
) k ON true
LEFT JOIN LATERAL (SELECT array_agg(r.kind || '|' || r.code ORDER BY r.kind, r.code) FILTER (WHERE r.rule = 'required') AS registered_in, array_agg(r.kind || '|' || r.code ORDER BY r.kind, r.code) FILTER (WHERE r.rule = 'excluded') AS registered_out, array_agg(r.kind || '|' || r.code ORDER BY r.kind, r.code) FILTER (WHERE r.rule = 'preferred') AS registered_first FROM catalogue_registrationcriterion r WHERE r.service_id = s.id) g ON true
LEFT JOIN LATERAL (
    SELECT CASE WHEN count(*) > 0 THEN ARRAY[max(coalesce(q.expires_on, '9999-12-31')) FILTER (WHERE q.scheme = 'ncvo'), max(coalesce(q.expires_on, '9999-12-31')) FILTER (WHERE q.scheme = 'qismet'), max(coalesce(q.expires_on, '9999-12-31')) FILTER (WHERE q.scheme = 'app-review')] END AS marks_until
    FROM catalogue_qualitymark q
    WHERE (q.service_id = s.id OR q.organization_id = s.organization_id) AND q.scheme IN ('ncvo', 'qismet', 'app-review')
      AND (q.scheme <> 'app-review' OR q.score >= 0.65 * q.out_of)
) m ON true
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT a.area_id ORDER BY a.area_id) FILTER (WHERE a.rule = 'excluded' AND a.area_id IS NOT NULL) AS areas_out, array_agg(DISTINCT a.area_id ORDER BY a.area_id) FILTER (WHERE a.rule = 'preferred' AND a.area_id IS NOT NULL) AS areas_first, nullif(bit_or((a.rule = 'excluded')::int + 2 * (a.rule = 'preferred')::int) FILTER (WHERE a.extent IS NOT NULL), 0) AS drawn FROM catalogue_servicearea a WHERE a.service_id = s.id AND a.rule <> 'required'
) r ON true
LEFT JOIN LATERAL (
    SELECT bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'required' AND x.slug = 'funding' AND t.bit < 62) AS funding_must, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'required' AND x.slug = 'language' AND t.bit < 62) AS languages_must, bit_or(1::bigint << t.bit) FILTER (WHERE c.rule = 'required' AND x.slug = 'referral-source' AND t.bit < 62) AS sources_must, bit_or(1::bigint << t.bit - 62) FILTER (WHERE c.rule <> 'excluded' AND x.slug = 'need' AND t.bit >= 62) AS own_accepts, bit_or(1::bigint << t.bit - 62) FILTER (WHERE c.rule = 'required' AND x.slug = 'need' AND t.bit >= 62) AS own_requires, bit_or(1::bigint << t.bit - 62) FILTER (WHERE c.rule = 'excluded' AND x.slug = 'need' AND t.bit >= 62) AS own_excludes, bit_or(1::bigint << t.bit - 62) FILTER (WHERE c.rule = 'preferred' AND x.slug = 'need' AND t.bit >= 62) AS own_prefers
    FROM catalogue_eligibilitycriterion c JOIN catalogue_taxonomyterm t ON t.id = c.term_id JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id
    WHERE c.service_id = s.id AND t.bit IS NOT NULL AND x.slug IN ('need', 'funding', 'language', 'referral-source')
) n ON true
WHERE s.merged_into_id IS NULL AND (p.per <> 'session' OR p.starts_at IS NOT NULL);
"""

TRIGGERS = """
CREATE TRIGGER matching_fact AFTER INSERT OR DELETE OR UPDATE ON capacity_freshnesspolicy FOR EACH ROW EXECUTE FUNCTION matching_on_freshness();
CREATE TRIGGER matching_fact AFTER INSERT OR DELETE OR UPDATE ON capacity_servicecapacity FOR EACH ROW EXECUTE FUNCTION matching_on_pool();
CREATE TRIGGER matching_delete AFTER DELETE ON catalogue_eligibility REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_insert AFTER INSERT ON catalogue_eligibility REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_eligibility REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_delete AFTER DELETE ON catalogue_eligibilitycriterion REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_insert AFTER INSERT ON catalogue_eligibilitycriterion REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_eligibilitycriterion REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_location REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_location();
CREATE TRIGGER matching_update AFTER UPDATE OF is_confidential ON catalogue_organization FOR EACH ROW WHEN (old.is_confidential <> new.is_confidential) EXECUTE FUNCTION matching_on_organization();
CREATE TRIGGER matching_delete AFTER DELETE ON catalogue_qualitymark REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_quality_mark();
CREATE TRIGGER matching_insert AFTER INSERT ON catalogue_qualitymark REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_quality_mark();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_qualitymark REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_quality_mark();
CREATE TRIGGER matching_delete AFTER DELETE ON catalogue_registrationcriterion REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_insert AFTER INSERT ON catalogue_registrationcriterion REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_registrationcriterion REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_delete AFTER DELETE ON catalogue_schedule REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_insert AFTER INSERT ON catalogue_schedule REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_schedule REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_service REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service();
CREATE TRIGGER matching_delete AFTER DELETE ON catalogue_servicearea REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_insert AFTER INSERT ON catalogue_servicearea REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_servicearea REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_service_part();
CREATE TRIGGER matching_update AFTER UPDATE ON catalogue_taxonomyterm REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_term();
CREATE TRIGGER matching_delete AFTER DELETE ON matching_poolchance REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_chance();
CREATE TRIGGER matching_insert AFTER INSERT ON matching_poolchance REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_chance();
CREATE TRIGGER matching_update AFTER UPDATE ON matching_poolchance REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_on_chance();
CREATE TRIGGER matching_leans BEFORE INSERT ON matching_poolfact FOR EACH ROW EXECUTE FUNCTION matching_lean();
CREATE TRIGGER matching_noted_delete AFTER DELETE ON matching_poolfact REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_note_changes();
CREATE TRIGGER matching_noted_insert AFTER INSERT ON matching_poolfact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_note_changes();
CREATE TRIGGER matching_noted_update AFTER UPDATE ON matching_poolfact REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION matching_note_changes();
"""

DROP = """
DROP TRIGGER matching_fact ON capacity_freshnesspolicy;
DROP TRIGGER matching_fact ON capacity_servicecapacity;
DROP TRIGGER matching_delete ON catalogue_eligibility;
DROP TRIGGER matching_insert ON catalogue_eligibility;
DROP TRIGGER matching_update ON catalogue_eligibility;
DROP TRIGGER matching_delete ON catalogue_eligibilitycriterion;
DROP TRIGGER matching_insert ON catalogue_eligibilitycriterion;
DROP TRIGGER matching_update ON catalogue_eligibilitycriterion;
DROP TRIGGER matching_update ON catalogue_location;
DROP TRIGGER matching_update ON catalogue_organization;
DROP TRIGGER matching_delete ON catalogue_qualitymark;
DROP TRIGGER matching_insert ON catalogue_qualitymark;
DROP TRIGGER matching_update ON catalogue_qualitymark;
DROP TRIGGER matching_delete ON catalogue_registrationcriterion;
DROP TRIGGER matching_insert ON catalogue_registrationcriterion;
DROP TRIGGER matching_update ON catalogue_registrationcriterion;
DROP TRIGGER matching_delete ON catalogue_schedule;
DROP TRIGGER matching_insert ON catalogue_schedule;
DROP TRIGGER matching_update ON catalogue_schedule;
DROP TRIGGER matching_update ON catalogue_service;
DROP TRIGGER matching_delete ON catalogue_servicearea;
DROP TRIGGER matching_insert ON catalogue_servicearea;
DROP TRIGGER matching_update ON catalogue_servicearea;
DROP TRIGGER matching_update ON catalogue_taxonomyterm;
DROP TRIGGER matching_delete ON matching_poolchance;
DROP TRIGGER matching_insert ON matching_poolchance;
DROP TRIGGER matching_update ON matching_poolchance;
DROP TRIGGER matching_leans ON matching_poolfact;
DROP TRIGGER matching_noted_delete ON matching_poolfact;
DROP TRIGGER matching_noted_insert ON matching_poolfact;
DROP TRIGGER matching_noted_update ON matching_poolfact;
DROP VIEW matching_poolfact_source;
DROP FUNCTION matching_lean();
DROP FUNCTION matching_note_changes();
DROP FUNCTION matching_on_chance();
DROP FUNCTION matching_on_freshness();
DROP FUNCTION matching_on_location();
DROP FUNCTION matching_on_organization();
DROP FUNCTION matching_on_pool();
DROP FUNCTION matching_on_quality_mark();
DROP FUNCTION matching_on_service();
DROP FUNCTION matching_on_service_part();
DROP FUNCTION matching_on_term();
DROP FUNCTION matching_refresh(uuid[]);
DROP FUNCTION matching_refresh_all();
DROP FUNCTION matching_status_code(text);
DROP FUNCTION matching_times(text,text,date,time without time zone,time without time zone);
"""


def load(apps, schema_editor):
    reference.load(apps)


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("matching", "0001_initial"),
        ("matching", "0002_facts"),
        ("matching", "0003_weights"),
        ("matching", "0004_drives_may_be_left_out"),
        ("matching", "0005_confidential_places"),
        ("matching", "0006_doubles_and_overdue_records"),
        ("matching", "0007_structured_eligibility"),
        ("matching", "0008_every_rule_on_areas_and_lists"),
        ("matching", "0009_sessions_and_waits"),
        ("matching", "0010_fact_changes"),
        ("matching", "0011_facts_worked_out_once"),
        ("matching", "0012_travel_and_times"),
        ("matching", "0013_support_and_ledger"),
        ("matching", "0014_chances"),
        ("matching", "0015_values_for_old_processes"),
    ]
    dependencies = [
        ('capacity', '0013_limits'),
        ('catalogue', '0029_isolated'),
        ('core', '0001_extensions'),
    ]

    operations = [
        BtreeGistExtension(),
        core.tables.CreateModels(
            models=[
                migrations.CreateModel(
                    name='NeedProfile',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('age', models.PositiveSmallIntegerField()),
                        ('sex', models.CharField(choices=[('female', 'Female'), ('male', 'Male'), ('other', 'Other'), ('unknown', 'Not known')], default='unknown', max_length=10)),
                        ('outcode', models.CharField(help_text='First half of the postcode: all that others are shown.', max_length=4)),
                        ('point', django.contrib.gis.db.models.fields.PointField(help_text='Centre of the postcode.', srid=27700)),
                        ('place_is_approximate', models.BooleanField(default=False, help_text="True when only the outcode's centre was known.")),
                        ('care_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), help_text='Any of these kinds of service will do.', size=None)),
                        ('needs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                        ('must_haves', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                        ('preferences', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                        ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), blank=True, default=list, size=None)),
                        ('funding', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Any of these; empty: not said.', size=None)),
                        ('referral_source', models.CharField(blank=True, max_length=100)),
                        ('budget_week', models.DecimalField(blank=True, decimal_places=2, max_digits=8, null=True)),
                        ('max_distance_m', models.PositiveIntegerField(default=24140, help_text='15 miles unless said.')),
                        ('drives', models.BooleanField(blank=True, null=True)),
                        ('needed_by', models.DateField(blank=True, help_text='A date close by leaves waiting lists out.', null=True)),
                        ('conditions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='Diagnoses and guidelines, as system|code.', size=None)),
                        ('practice', models.CharField(blank=True, help_text='ODS code of the general practice where the person is registered.', max_length=10)),
                        ('marks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, help_text='Marks of quality that are wished for.', size=None)),
                        ('max_minutes', models.PositiveSmallIntegerField(blank=True, help_text='Longest travel time, in the way that the person travels.', null=True)),
                        ('times', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), blank=True, db_default=[], default=list, help_text='When it would suit: days like MO and parts of the day like evening; empty: at any time.', size=None)),
                        ('pathway', models.CharField(blank=True, choices=[('P0', 'P0: home, no new support'), ('P1', 'P1: home with support'), ('P2', 'P2: community bed'), ('P3', 'P3: care home'), ('C', 'Community: waits at home'), ('primary-care', 'Primary care'), ('social-prescribing', 'Social prescribing'), ('mental-health', 'Mental health')], db_default='', help_text='Whose weights rank; empty: the general ones.', max_length=20)),
                        ('activation_level', models.PositiveSmallIntegerField(blank=True, help_text='Of the Patient Activation Measure, 1 to 4: the level alone, none of its questions.', null=True)),
                        ('all_wanted', models.BooleanField(db_default=False, default=False, help_text='One service of each kind is wanted, not one of any.')),
                        ('carried_only', models.BooleanField(db_default=False, default=False, help_text='Only services that say they take one of `conditions`.')),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('age__lte', 125)), name='age_of_a_person', violation_error_message='Give an age from 0 to 125.'), models.CheckConstraint(condition=models.Q(('care_types__len__gte', 1)), name='some_care_type', violation_error_message='Choose at least one kind of service.'), models.CheckConstraint(condition=models.Q(('activation_level', None), ('activation_level__range', (1, 4)), _connector='OR'), name='activation_level_of_four', violation_error_message='Give the activation level as a number from 1 to 4.')],
                    },
                ),
                migrations.CreateModel(
                    name='WeightSet',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('version', models.PositiveIntegerField(unique=True)),
                        ('pathway', models.CharField(blank=True, choices=[('P0', 'P0: home, no new support'), ('P1', 'P1: home with support'), ('P2', 'P2: community bed'), ('P3', 'P3: care home'), ('C', 'Community: waits at home'), ('primary-care', 'Primary care'), ('social-prescribing', 'Social prescribing'), ('mental-health', 'Mental health')], db_default='', help_text='Empty: for all that have none of their own.', max_length=20)),
                        ('weights', models.JSONField(help_text='{"distance": 300, "availability": 300, …}; they need not add up to 1000.')),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('note', models.CharField(blank=True, max_length=200)),
                        ('chances', models.JSONField(blank=True, db_default={}, default=dict, help_text='What `engine.likelihood` takes; empty: nothing learned is switched on.')),
                    ],
                    options={
                        'ordering': ['-version'],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('weights__likelihood__gt', 0), _negated=True), ('chances__has_key', 'table'), _connector='OR'), name='no_points_for_a_guess', violation_error_message='How likely a yes is may count only while a version that was learned is switched on.')],
                    },
                ),
                migrations.CreateModel(
                    name='MatchRun',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('profile', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='matching.needprofile')),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('at', models.DateTimeField(help_text='The instant for which the answer holds.')),
                        ('weights', models.JSONField()),
                        ('weights_version', models.PositiveIntegerField()),
                        ('engine_version', models.CharField(max_length=20)),
                        ('problem', models.JSONField(help_text='The profile as the engine saw it.')),
                        ('considered', models.PositiveIntegerField(help_text='Pools of the right kind within reach, before hard rules.')),
                        ('misses', models.JSONField(blank=True, default=dict, help_text='When nobody fits: the nearest misses and what would open most.')),
                        ('took_ms', models.FloatField()),
                        ('travel', models.JSONField(blank=True, db_default={}, default=dict, help_text='What a route planner said of the best, when one was asked.')),
                        ('part_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='matching.matchrun')),
                        ('part', models.CharField(blank=True, db_default='', default='', help_text='“package”, or a code of `matching.support`; empty: stands by itself.', max_length=20)),
                        ('because', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, db_default=[], default=list, help_text='Codes of the rules that suggested a support.', size=None)),
                    ],
                    options={
                        'ordering': ['-at'],
                    },
                ),
                migrations.CreateModel(
                    name='MatchCandidate',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='candidates', to='matching.matchrun')),
                        ('rank', models.PositiveSmallIntegerField()),
                        ('pool', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='capacity.servicecapacity')),
                        ('score', models.IntegerField()),
                        ('distance_m', models.PositiveIntegerField(null=True)),
                        ('facts', models.JSONField(help_text="The pool's packed facts at that instant.")),
                        ('terms', models.JSONField(help_text='What each factor added.')),
                    ],
                    options={
                        'ordering': ['run', 'rank'],
                        'constraints': [models.UniqueConstraint(fields=('run', 'rank'), name='one_candidate_per_rank')],
                    },
                ),
                migrations.CreateModel(
                    name='PoolFact',
                    fields=[
                        ('pool', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='fact', serialize=False, to='capacity.servicecapacity')),
                        ('service_id', models.UUIDField(db_index=True)),
                        ('care_type', models.SmallIntegerField()),
                        ('is_open', models.BooleanField()),
                        ('point', django.contrib.gis.db.models.fields.PointField(help_text='Whole metres. Null: online or not placed.', null=True, spatial_index=False, srid=27700)),
                        ('online', models.BooleanField(default=False)),
                        ('catchment_m', models.IntegerField(help_text='A very large number when no limit is stated.')),
                        ('area_ids', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), help_text='Areas whose residents are taken; null: not limited.', null=True, size=None)),
                        ('accepts', models.BigIntegerField(default=0)),
                        ('requires', models.BigIntegerField(default=0)),
                        ('excludes', models.BigIntegerField(default=0)),
                        ('prefers', models.BigIntegerField(default=0)),
                        ('funding', models.BigIntegerField(default=0)),
                        ('languages', models.BigIntegerField(default=0)),
                        ('sources', models.BigIntegerField(default=0)),
                        ('min_age', models.SmallIntegerField(null=True)),
                        ('max_age', models.SmallIntegerField(null=True)),
                        ('sex', models.SmallIntegerField(default=0, help_text='0 not stated, 1 female only, 2 male only, 3 any, 4 both 1 and 2: nobody.')),
                        ('price_pence', models.IntegerField(help_text='A week; null: not stated.', null=True)),
                        ('cqc_rating', models.SmallIntegerField(null=True)),
                        ('assured_on', models.DateField(null=True)),
                        ('free', models.IntegerField(null=True)),
                        ('maximum', models.IntegerField(null=True)),
                        ('status', models.SmallIntegerField(help_text='0 capacity, 1 no-capacity, 2 waitlist, 3 assessment first.')),
                        ('reported_at', models.DateTimeField(null=True)),
                        ('fresh_s', models.IntegerField()),
                        ('expire_s', models.IntegerField()),
                        ('has_extent', models.BooleanField(default=False, help_text='Has a hand-drawn area: checked against the outline itself.')),
                        ('coded', models.BooleanField(default=False, help_text='Says something of what follows, but for `marks_until`.')),
                        ('conditions_in', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), help_text='Takes only people with one of these diagnoses, as system|code.', null=True, size=None)),
                        ('conditions_out', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None)),
                        ('conditions_ok', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), help_text='All diagnoses that it says it takes.', null=True, size=None)),
                        ('conditions_first', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None)),
                        ('registered_in', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), help_text='Takes only people registered with one of these, as kind|code.', null=True, size=None)),
                        ('registered_out', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None)),
                        ('registered_first', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None)),
                        ('funding_out', models.BigIntegerField(null=True)),
                        ('languages_out', models.BigIntegerField(null=True)),
                        ('sources_out', models.BigIntegerField(null=True)),
                        ('funding_first', models.BigIntegerField(null=True)),
                        ('languages_first', models.BigIntegerField(null=True)),
                        ('sources_first', models.BigIntegerField(null=True)),
                        ('funding_must', models.BigIntegerField(null=True)),
                        ('languages_must', models.BigIntegerField(null=True)),
                        ('sources_must', models.BigIntegerField(null=True)),
                        ('areas_out', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), null=True, size=None)),
                        ('areas_first', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), null=True, size=None)),
                        ('drawn', models.SmallIntegerField(help_text='1: an area drawn by hand is ruled out; 2: people in one go first; 3: both.', null=True)),
                        ('own_accepts', models.BigIntegerField(null=True)),
                        ('own_requires', models.BigIntegerField(null=True)),
                        ('own_excludes', models.BigIntegerField(null=True)),
                        ('own_prefers', models.BigIntegerField(null=True)),
                        ('marks_until', django.contrib.postgres.fields.ArrayField(base_field=models.DateField(null=True), help_text='By bit of `catalogue.marks.WISHES`: its last day.', null=True, size=None)),
                        ('wait_days', models.IntegerField(help_text='How long a newcomer would wait.', null=True)),
                        ('starts_at', models.DateTimeField(help_text='Of a session.', null=True)),
                        ('series', models.UUIDField(help_text='The same for all sessions of one series: only the next is offered.', null=True)),
                        ('times', models.IntegerField(help_text='Parts of the week at which it is open (`matching.engine.times`).', null=True)),
                        ('leaning', models.SmallIntegerField(help_text='What the service leans to, in thousandths of a logit.', null=True)),
                        ('said_yes', models.SmallIntegerField(null=True)),
                        ('answers', models.SmallIntegerField(null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='PoolChance',
                    fields=[
                        ('pool', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='chance', serialize=False, to='capacity.servicecapacity')),
                        ('leaning', models.SmallIntegerField(help_text='In thousandths of a logit.')),
                        ('said_yes', models.SmallIntegerField(help_text='Of how many requests for this kind of care the service said yes to; 9,999 at most.')),
                        ('answers', models.SmallIntegerField()),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('answers__gte', models.F('said_yes')), ('answers__lte', 9999), ('leaning__range', (-6000, 6000)), ('said_yes__gte', 0)), name='chance_adds_up', violation_error_message='A service cannot have said yes more often than it was asked.')],
                    },
                ),
                migrations.CreateModel(
                    name='FactChange',
                    fields=[
                        ('pk', models.CompositePrimaryKey('xid', 'pool_id', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('xid', core.models.Xid8Field(db_default=core.models.PgCurrentXactId(), editable=False)),
                        ('pool_id', models.UUIDField()),
                        ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                ),
                migrations.CreateModel(
                    name='UnmetNeed',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('on', models.DateField(db_default=models.Func(django.db.models.functions.datetime.Now(), output_field=models.DateField(), template="(%(expressions)s AT TIME ZONE 'Europe/London')::date"))),
                        ('digest', models.CharField(db_default=django.db.models.functions.text.MD5(django.db.models.functions.comparison.Cast(django.contrib.postgres.functions.RandomUUID(), models.TextField())), max_length=64)),
                        ('care_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), size=None)),
                        ('outcode', models.CharField(max_length=4)),
                        ('needs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                        ('reason', models.CharField(help_text="The rule that left the fewest: a rule's code.", max_length=100)),
                        ('in_hospital', models.BooleanField(db_default=False, default=False, help_text='Looked for by a hospital: somebody lies in a bed meanwhile.')),
                        ('resolved_at', models.DateTimeField(help_text='When a later search for the same need found somebody.', null=True)),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['on'], name='unmet_by_day')],
                        'constraints': [models.UniqueConstraint(fields=('organization', 'digest', 'on'), name='unmet_need_once_a_day', violation_error_message='This need is in the ledger for that day already.')],
                    },
                ),
                migrations.CreateModel(
                    name='Tariff',
                    fields=[
                        ('code', models.CharField(help_text='A code of the care types: pounds a week; or bed-day: pounds a day.', max_length=100, primary_key=True, serialize=False)),
                        ('pounds', models.DecimalField(decimal_places=2, max_digits=8)),
                        ('note', models.CharField(blank=True, help_text='Where the figure is from, and of which year.', max_length=200)),
                    ],
                    options={
                        'ordering': ['code'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('pounds__gte', 0)), name='no_tariff_below_nothing', violation_error_message='A tariff cannot be less than nothing.')],
                    },
                ),
            ],
        ),
        migrations.RunSQL([INDEXES, "SET LOCAL check_function_bodies = off", FUNCTIONS, VIEW, TRIGGERS], DROP),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
