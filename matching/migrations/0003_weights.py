from django.db import migrations

from matching import reference


def load(apps, schema_editor):
    reference.load(apps)


class Migration(migrations.Migration):
    dependencies = [("matching", "0002_facts")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
