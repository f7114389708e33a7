"""The longest travel time, times that suit, and weights of their own for a pathway."""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

from matching import reference

facts = import_module("matching.migrations.0002_facts")
sessions = import_module("matching.migrations.0009_sessions_and_waits")
once = import_module("matching.migrations.0011_facts_worked_out_once")

PATHWAYS = [
    ("P0", "P0: home, no new support"), ("P1", "P1: home with support"), ("P2", "P2: community bed"), ("P3", "P3: care home"),
    ("C", "Community: waits at home"), ("primary-care", "Primary care"), ("social-prescribing", "Social prescribing"),
    ("mental-health", "Mental health"),
]  # fmt: skip

#: `matching.engine.times`: three bits a day, Monday first. Without days, the day on which a weekly one began; without times, all day.
TIMES = r"""
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
$$
"""
#: Of a session its own time; of others, when the service is open by the schedules that are not over.
COLUMN = """CASE
        WHEN p.starts_at IS NOT NULL THEN matching_times(
            'WEEKLY', '', (p.starts_at AT TIME ZONE 'Europe/London')::date, (p.starts_at AT TIME ZONE 'Europe/London')::time, NULL)
        ELSE nullif((SELECT bit_or(matching_times(h.freq, h.byday, h.dtstart, h.opens_at, h.closes_at)) FROM catalogue_schedule h
            WHERE h.service_id = s.id AND (h.valid_to IS NULL OR h.valid_to >= current_date)), 0)
    END AS times"""
BEFORE = sessions.AFTER
AFTER = BEFORE.replace(sessions.POOLS, f",\n    {COLUMN}{sessions.POOLS}")
if BEFORE.count(sessions.POOLS) != 1:
    raise ValueError("The view is not what it was.")

COLUMNS = [*sessions.COLUMNS, "times"]
_LISTS = ("{c}", "f.{c}", "excluded.{c}", "{c} = excluded.{c}")


def with_times(text):
    """A function that writes the facts, writing the new column too."""
    for shape in _LISTS:
        old, new = (", ".join(shape.format(c=column) for column in columns) for columns in (sessions.COLUMNS, COLUMNS))
        if old not in text:
            raise ValueError("The function is not what it was.")
        text = text.replace(old, new)
    return text


TRIGGERS = [facts.statement_trigger("catalogue_schedule", event, "matching_on_service_part") for event in facts.REFERENCING]
UNDO = [f"DROP TRIGGER matching_{event.lower()} ON catalogue_schedule;" for event in facts.REFERENCING]
FORWARD = [TIMES, AFTER, *map(with_times, once.FORWARD), *TRIGGERS]
#: A view cannot lose columns: it is made anew.
BACK = [*UNDO, "DROP VIEW matching_poolfact_source;", "DROP FUNCTION matching_times;", BEFORE, *once.FORWARD]


def load(apps, schema_editor):
    reference.load(apps)


#: The code before takes the newest version for everybody: that must not be one of a pathway.
GENERAL_ONLY = "DELETE FROM matching_weightset WHERE pathway <> ''"


class Migration(migrations.Migration):
    dependencies = [("matching", "0011_facts_worked_out_once"), ("catalogue", "0028_who_keeps_keys")]
    operations = [
        migrations.AddField(
            "needprofile",
            "max_minutes",
            models.PositiveSmallIntegerField(null=True, blank=True, help_text="Longest travel time, in the way that the person travels."),
        ),
        migrations.AddField(
            "needprofile",
            "times",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=10),
                blank=True,
                db_default=[],
                default=list,
                help_text="When it would suit: days like MO and parts of the day like evening; empty: at any time.",
                size=None,
            ),
        ),
        migrations.AddField(
            "needprofile",
            "pathway",
            models.CharField(
                blank=True, choices=PATHWAYS, db_default="", help_text="Whose weights rank; empty: the general ones.", max_length=20
            ),
        ),
        migrations.AddField(
            "weightset",
            "pathway",
            models.CharField(
                blank=True, choices=PATHWAYS, db_default="", help_text="Empty: for all that have none of their own.", max_length=20
            ),
        ),
        migrations.AddField(
            "matchrun",
            "travel",
            models.JSONField(
                blank=True, db_default={}, default=dict, help_text="What a route planner said of the best, when one was asked."
            ),
        ),
        migrations.AddField(
            "poolfact",
            "times",
            models.IntegerField(null=True, help_text="Parts of the week at which it is open (`matching.engine.times`)."),
        ),
        migrations.RunSQL(FORWARD, BACK),
        migrations.RunSQL("SELECT matching_refresh_all()", migrations.RunSQL.noop),
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL(migrations.RunSQL.noop, GENERAL_ONLY),
    ]
