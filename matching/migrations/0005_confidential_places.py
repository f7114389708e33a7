"""Where a confidential place is, is known to ranking only to the middle of its 5 km square.

Whatever ranking says of it (distance, points, rank, why not) is then the same for the whole square, so that many searches tell no more
than one. A place is confidential when it, its service or its organisation is.
"""

from importlib import import_module

from django.db import migrations

facts = import_module("matching.migrations.0002_facts")

EXACT = "ST_SetSRID(ST_MakePoint(round(ST_X(l.point)), round(ST_Y(l.point))), 27700)"
COARSE = "ST_SetSRID(ST_MakePoint(floor(ST_X(l.point) / 5000) * 5000 + 2500, floor(ST_Y(l.point) / 5000) * 5000 + 2500), 27700)"
SECRET = "(l.is_confidential OR s.is_confidential OR o.is_confidential)"

BEFORE = facts.VIEW.replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
AFTER = BEFORE.replace(EXACT, f"CASE WHEN {SECRET} THEN {COARSE} ELSE {EXACT} END").replace(
    "LEFT JOIN catalogue_location", "JOIN catalogue_organization o ON o.id = s.organization_id\nLEFT JOIN catalogue_location"
)

FUNCTIONS = """
CREATE OR REPLACE FUNCTION matching_on_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id)
        WHERE (n.status, n.catchment_m, n.price_week, n.cqc_rating, n.assured_date, n.is_confidential, n.organization_id)
              IS DISTINCT FROM (o.status, o.catchment_m, o.price_week, o.cqc_rating, o.assured_date, o.is_confidential, o.organization_id)));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION matching_on_location() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER matching_update AFTER UPDATE OF is_confidential ON catalogue_organization FOR EACH ROW
    WHEN (OLD.is_confidential <> NEW.is_confidential) EXECUTE FUNCTION matching_on_organization();
"""


def old(name: str) -> str:
    """A function as the earlier migration wrote it."""
    start = facts.FUNCTIONS.index(f"CREATE FUNCTION {name}(")
    return facts.FUNCTIONS[start : facts.FUNCTIONS.index("END $$;", start) + len("END $$;")].replace("CREATE", "CREATE OR REPLACE", 1)


class Migration(migrations.Migration):
    dependencies = [("matching", "0004_drives_may_be_left_out")]
    operations = [
        migrations.RunSQL(
            [AFTER, FUNCTIONS],
            [
                "DROP TRIGGER matching_update ON catalogue_organization; DROP FUNCTION matching_on_organization;",
                BEFORE, old("matching_on_service"), old("matching_on_location"),
            ],
        ),
        migrations.RunSQL("SELECT matching_refresh_all()", "SELECT matching_refresh_all()"),
    ]
