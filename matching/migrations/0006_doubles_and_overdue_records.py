"""A merged record is offered no more: its pools leave the facts. And a second set of weights, by which overdue records rank lower."""

from importlib import import_module

from django.db import migrations

from matching import reference

places = import_module("matching.migrations.0005_confidential_places")

BEFORE = places.AFTER
AFTER = f"{BEFORE}WHERE s.merged_into_id IS NULL\n"
WATCHED = "status, catchment_m, price_week, cqc_rating, assured_date, is_confidential, organization_id"


def on_service(columns: str) -> str:
    """The trigger function that refreshes the facts of services in which one of these columns changed."""
    new, old = (", ".join(f"{row}.{column}" for column in columns.split(", ")) for row in "no")
    return f"""
CREATE OR REPLACE FUNCTION matching_on_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM matching_refresh(ARRAY(
        SELECT n.id FROM new_rows n JOIN old_rows o USING (id) WHERE ({new}) IS DISTINCT FROM ({old})));
    RETURN NULL;
END $$;
"""


def load(apps, schema_editor):
    reference.load(apps)


class Migration(migrations.Migration):
    dependencies = [("matching", "0005_confidential_places"), ("catalogue", "0006_living_catalogue")]
    operations = [
        migrations.RunSQL([AFTER, on_service(f"{WATCHED}, merged_into_id")], [BEFORE, on_service(WATCHED)]),
        migrations.RunSQL("SELECT matching_refresh_all()", "SELECT matching_refresh_all()"),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
