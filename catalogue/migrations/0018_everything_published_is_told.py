"""The change feed tells of partners, pictures and papers, and of other names of areas, lists of terms, partners and sources.

Whatever changes a published document raises its service; see `0007_publication_changes` for how.
"""

from importlib import import_module

from django.db import migrations

parts = import_module("catalogue.migrations.0007_publication_changes")

FUNCTIONS = """
CREATE OR REPLACE FUNCTION catalogue_on_organization() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- Group and bit decide where a term stands: among what makes a place accessible, and where in a sentence.
CREATE OR REPLACE FUNCTION catalogue_on_term() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    terms uuid[] := ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.taxonomy_id, n.code, n.name, n.description, n."group", n.parent_id, n.bit, n.term_uri)
              IS DISTINCT FROM (o.taxonomy_id, o.code, o.name, o.description, o."group", o.parent_id, o.bit, o.term_uri));
BEGIN
    PERFORM catalogue_publish_terms(terms);
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_on_taxonomy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_publish_terms(ARRAY(
        SELECT t.id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_taxonomyterm t ON t.taxonomy_id = n.id
        WHERE (n.slug, n.name) IS DISTINCT FROM (o.slug, o.name)));
    RETURN NULL;
END $$;

CREATE FUNCTION catalogue_publish_terms(terms uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(terms) > 0 THEN
        PERFORM catalogue_publish_parts(ARRAY(
            SELECT id FROM catalogue_service WHERE care_type_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_service_taxonomy_terms WHERE taxonomyterm_id = ANY (terms) UNION
            SELECT service_id FROM catalogue_eligibilitycriterion WHERE term_id = ANY (terms)));
    END IF;
END $$;

CREATE FUNCTION catalogue_on_area() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM catalogue_publish_parts(ARRAY(
        SELECT a.service_id FROM new_rows n JOIN old_rows o USING (id) JOIN catalogue_servicearea a ON a.area_id = n.id
        WHERE (n.name, n.code) IS DISTINCT FROM (o.name, o.code)));
    RETURN NULL;
END $$;

-- A service says by its name which source it came from: what that name stood for before, and what it stands for now.
CREATE OR REPLACE FUNCTION catalogue_on_source() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""

#: Table, events, function, name; as in `0007_publication_changes`.
ALL = ("INSERT", "UPDATE", "DELETE")
TRIGGERS = [
    ("service_partners", ALL, "catalogue_on_service_part", "publish"),
    ("service_partners", ("INSERT",), "catalogue_on_partner", "lock_partner"),
    ("attachment", ALL, "catalogue_on_service_part", "publish"),
    ("taxonomy", ("UPDATE",), "catalogue_on_taxonomy", "publish"),
    ("area", ("UPDATE",), "catalogue_on_area", "publish"),
    ("source", ("INSERT", "DELETE"), "catalogue_on_source", "publish"),
]
CREATE = "\n".join(
    f"CREATE TRIGGER {name}_{event.lower()} AFTER {event} ON catalogue_{table} REFERENCING {parts.REFERENCING[event]} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION {function}();"
    for table, events, function, name in TRIGGERS
    for event in events
)
DROP = "\n".join(f"DROP TRIGGER {name}_{event.lower()} ON catalogue_{table};" for table, events, _, name in TRIGGERS for event in events)
#: What the functions said before.
BEFORE = parts.FUNCTIONS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
GONE = "DROP FUNCTION catalogue_on_partner, catalogue_on_taxonomy, catalogue_on_area, catalogue_publish_terms"


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0017_usage_and_letters")]
    operations = [migrations.RunSQL([FUNCTIONS, CREATE], [DROP, BEFORE, GONE])]
