"""A postcode's place as the publisher gives it: two columns of metres in place of a geometry, so that one COPY fills the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0004_postcode_index")]

    operations = [
        migrations.AddField("postcode", "easting", models.IntegerField(null=True, help_text="Metres of the National Grid.")),
        migrations.AddField("postcode", "northing", models.IntegerField(null=True, help_text="Metres of the National Grid.")),
        migrations.RunSQL(
            "UPDATE catalogue_postcode SET easting = round(ST_X(point)), northing = round(ST_Y(point))",
            "UPDATE catalogue_postcode SET point = ST_SetSRID(ST_MakePoint(easting, northing), 27700)",
        ),
        migrations.AlterField("postcode", "easting", models.IntegerField(help_text="Metres of the National Grid.")),
        migrations.AlterField("postcode", "northing", models.IntegerField(help_text="Metres of the National Grid.")),
        migrations.RemoveField("postcode", "point"),
    ]
