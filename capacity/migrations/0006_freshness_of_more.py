from django.db import migrations

from capacity import reference


def load(apps, schema_editor):
    reference.load(apps)


class Migration(migrations.Migration):
    dependencies = [("capacity", "0005_shown_to_public"), ("catalogue", "0014_send_local_offer")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
