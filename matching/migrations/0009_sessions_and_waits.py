"""Places for women or men only, sessions that begin and lists that say how long they are."""

from importlib import import_module

from django.db import migrations, models

facts = import_module("matching.migrations.0002_facts")
before = import_module("matching.migrations.0008_every_rule_on_areas_and_lists")

SEX = "(CASE e.sex WHEN 'female' THEN 1 WHEN 'male' THEN 2 WHEN 'any' THEN 3 ELSE 0 END)::smallint AS sex"
#: 4: the service says one and these places the other, so that nobody fits.
BOTH = """(CASE
        WHEN p.for_sex = '' THEN CASE e.sex WHEN 'female' THEN 1 WHEN 'male' THEN 2 WHEN 'any' THEN 3 ELSE 0 END
        WHEN e.sex IN ('female', 'male') AND e.sex <> p.for_sex THEN 4
        ELSE CASE p.for_sex WHEN 'female' THEN 1 ELSE 2 END END)::smallint AS sex"""
POOLS = "\nFROM capacity_servicecapacity p\n"
NEW = {"wait_days": "p.expected_wait_days", "starts_at": "p.starts_at", "series": "p.session_of_id"}
KEPT = "WHERE s.merged_into_id IS NULL"

BEFORE = before.AFTER
AFTER = BEFORE
for old, new in (
    (SEX, BOTH),
    (POOLS, f",\n    {', '.join(f'{column} AS {name}' for name, column in NEW.items())}{POOLS}"),
    # What only says how many places each session has is offered to nobody.
    (KEPT, f"{KEPT} AND (p.per <> 'session' OR p.starts_at IS NOT NULL)"),
):
    if AFTER.count(old) != 1:
        raise ValueError(f"The view has not one {old!r}.")
    AFTER = AFTER.replace(old, new)

COLUMNS = [*before.COLUMNS, *NEW]
WRITE = f"""
    INSERT INTO matching_poolfact AS f (pool_id, {", ".join(COLUMNS)})
    SELECT pool_id, {", ".join(COLUMNS)} FROM matching_poolfact_source
    {{where}}
    ON CONFLICT (pool_id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
    WHERE ({", ".join(f"f.{c}" for c in COLUMNS)}) IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)})
"""


def with_columns(name):
    """A function of the migration before, writing the new columns too."""
    text = before.with_columns(name)
    for where in ("WHERE service_id = ANY (services)", "ORDER BY care_type, point"):
        text = text.replace(before.WRITE.format(where=where), WRITE.format(where=where))
    return text


def on_pool(watched, figures):
    """The trigger function: a refresh when a watched column changed, else the figures alone."""
    new, old = (", ".join(f"{row}.{column}" for column in watched.split()) for row in ("NEW", "OLD"))
    return f"""
CREATE OR REPLACE FUNCTION matching_on_pool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM matching_poolfact WHERE pool_id = OLD.id;
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM matching_refresh(ARRAY[NEW.service_id]);
    ELSIF ({new}) IS DISTINCT FROM ({old}) THEN
        PERFORM matching_refresh(ARRAY[OLD.service_id, NEW.service_id]);
    ELSE
        UPDATE matching_poolfact SET {figures} WHERE pool_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
"""


WATCHED = "service_id location_id care_type_id is_open"
FIGURES = (
    "free = NEW.available - NEW.held, maximum = NEW.maximum, status = matching_status_code(NEW.status), reported_at = NEW.reported_at"
)
REFRESHES = ("matching_refresh", "matching_refresh_all")
FORWARD = [
    AFTER,
    *map(with_columns, REFRESHES),
    on_pool(f"{WATCHED} for_sex per starts_at session_of_id", f"{FIGURES}, wait_days = NEW.expected_wait_days"),
]
#: A view cannot lose columns: it is made anew.
BACK = ["DROP VIEW matching_poolfact_source;", BEFORE, *map(before.with_columns, REFRESHES), on_pool(WATCHED, FIGURES)]


class Migration(migrations.Migration):
    dependencies = [("matching", "0008_every_rule_on_areas_and_lists"), ("capacity", "0008_sessions")]
    operations = [
        migrations.AddField("poolfact", "wait_days", models.IntegerField(null=True, help_text="How long a newcomer would wait.")),
        migrations.AddField("poolfact", "starts_at", models.DateTimeField(null=True, help_text="Of a session.")),
        migrations.AddField(
            "poolfact",
            "series",
            models.UUIDField(null=True, help_text="The same for all sessions of one series: only the next is offered."),
        ),
        migrations.AlterField(
            "poolfact",
            "sex",
            models.SmallIntegerField(default=0, help_text="0 not stated, 1 female only, 2 male only, 3 any, 4 both 1 and 2: nobody."),
        ),
        migrations.RunSQL(FORWARD, BACK),
        migrations.RunSQL("SELECT matching_refresh_all()", migrations.RunSQL.noop),
    ]
