from django.db import migrations

from catalogue import vocabulary


def load(apps, schema_editor):
    vocabulary.load(apps)


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0028_who_keeps_keys")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
