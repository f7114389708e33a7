from django.db import migrations

from capacity import reference


def load(apps, schema_editor):
    reference.load(apps)


class Migration(migrations.Migration):
    dependencies = [("capacity", "0002_initial"), ("catalogue", "0002_vocabulary")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
