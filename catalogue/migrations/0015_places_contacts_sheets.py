"""Several places and named contacts of an entry, spreadsheets that a worker applies, and changes that imports made."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def addresses_to_places(apps, schema_editor):
    """Drafts and histories spoke of one address; now of places."""
    changes = apps.get_model("catalogue", "ProposedChange").objects.filter(
        models.Q(content__has_key="address") | models.Q(base__has_key="address")
    )
    for change in changes.iterator():
        # A letter's words, "address": "It moved", are no field of an entry and stay.
        for values in (change.content, change.base):
            if "address" in values and not isinstance(values["address"], str):
                address = values.pop("address")
                values["places"] = [{"id": "", "name": "", "description": "", **address}] if address else []
        change.save(update_fields=["content", "base"])


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0014_send_local_offer")]
    operations = [
        migrations.CreateModel(
            name="Sheet",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sent_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ready", "To be looked at"),
                            ("running", "Running"),
                            ("stopped", "Stopped by somebody"),
                            ("done", "Done"),
                            ("failed", "Ended by a fault"),
                        ],
                        default="ready",
                        max_length=10,
                    ),
                ),
                ("work", models.CharField(choices=[("apply", "Apply"), ("undo", "Undo")], default="apply", max_length=10)),
                (
                    "chosen",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, help_text="Rows that are still to be dealt with.", null=True, size=None
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0)),
                ("made", models.PositiveIntegerField(default=0)),
                ("waiting", models.PositiveIntegerField(default=0)),
                ("left", models.PositiveIntegerField(default=0, help_text="Rows left alone, each with what is wrong with it.")),
                ("stop_requested_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("moved_at", models.DateTimeField(blank=True, help_text="When rows were last dealt with.", null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="The sender's office.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalogue.organization",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["-sent_at"]},
        ),
        migrations.AddField(
            model_name="contact",
            name="location",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: for all of the service.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="contacts",
                to="catalogue.location",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="phones",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                default=list,
                help_text="Its own numbers, apart from the service's.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="proposedchange",
            name="run",
            field=models.ForeignKey(
                blank=True,
                help_text="The import that made it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="catalogue.importrun",
            ),
        ),
        migrations.AlterField(
            model_name="proposedchange",
            name="origin",
            field=models.CharField(
                choices=[("form", "Form"), ("spreadsheet", "Spreadsheet"), ("link", "Link without an account"), ("import", "Import")],
                default="form",
                max_length=12,
            ),
        ),
        migrations.RunPython(addresses_to_places, migrations.RunPython.noop),
    ]
