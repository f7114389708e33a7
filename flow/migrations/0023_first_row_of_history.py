"""People and stays recorded before their history was kept get its first row: how they stand now, on the day they were recorded."""

from django.db import migrations

#: Of each the history, and when the row was recorded; of a stay that is not kept, but it was not before its person was.
_KEPT = {
    "Patient": "r.created_at",
    "Episode": "greatest(r.started_at, (SELECT p.created_at FROM flow_patient p WHERE p.id = r.patient_id))",
}


def begin(apps, schema_editor):
    for name, recorded_at in _KEPT.items():
        table, event = (apps.get_model("flow", model)._meta for model in (name, f"{name}Event"))
        columns = [field.column for field in event.fields if not field.name.startswith("pgh_")]
        names = ", ".join(f'"{column}"' for column in columns)
        values = ", ".join(f'r."{column}"' for column in columns)
        schema_editor.execute(
            f'INSERT INTO "{event.db_table}" (pgh_created_at, pgh_label, pgh_obj_id, {names}) '  # noqa: S608 – names of our own tables
            f"SELECT {recorded_at}, 'insert', r.id, {values} FROM \"{table.db_table}\" r "
            f'WHERE NOT EXISTS (SELECT FROM "{event.db_table}" e WHERE e.pgh_obj_id = r.id)'
        )


class Migration(migrations.Migration):
    dependencies = [("flow", "0022_break_glass")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop, elidable=True)]
