"""The facts of services worked out once each time, not twice, and never once for each row that may have to go.

The second look at the view, for rows to delete, was joined to them row by row where the planner took the tables for empty, as it does when
many rows have come and gone: half a minute for seventy services.
"""

from importlib import import_module

from django.db import migrations

before = import_module("matching.migrations.0009_sessions_and_waits")

ALL, SOME = "ORDER BY care_type, point", "WHERE service_id = ANY (services)"


def once(name, where, mine):
    """The function with one statement for what is kept and what goes. A pool that has moved to another of the services is kept."""
    text = before.with_columns(name)
    head, write = text[: text.index("    INSERT INTO")], before.WRITE.format(where="")
    columns = f"pool_id, {', '.join(before.COLUMNS)}"
    if "DELETE FROM" in head or text.count("DELETE FROM") != 1:
        raise ValueError(f"{name} is not what it was.")
    return f"""{head}
    WITH wanted AS MATERIALIZED (SELECT {columns} FROM matching_poolfact_source {where}),
    kept AS ({write.replace("matching_poolfact_source", "wanted")})
    DELETE FROM matching_poolfact f WHERE {mine}NOT EXISTS (SELECT FROM wanted w WHERE w.pool_id = f.pool_id);
END $$;
"""


FORWARD = [once("matching_refresh", SOME, "f.service_id = ANY (services) AND "), once("matching_refresh_all", ALL, "")]
BACK = [before.with_columns(name) for name in before.REFRESHES]


class Migration(migrations.Migration):
    dependencies = [("matching", "0010_fact_changes")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
