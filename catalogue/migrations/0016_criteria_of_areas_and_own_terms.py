"""An area may be ruled out or go first, the terms of curators get their bits, and a code may be one that no clinician has checked."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from catalogue.vocabulary import OWN_BITS


def give_bits(apps, schema_editor):
    term_model = apps.get_model("catalogue", "TaxonomyTerm")
    for slug, bits in OWN_BITS.items():
        own = term_model.objects.filter(taxonomy__slug=slug, bit=None).order_by("edited_at", "code")
        for bit, term in zip(bits, own, strict=False):
            term.bit = bit
            term.save(update_fields=["bit"])


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0015_places_contacts_sheets")]
    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="taxonomyterm", name="insert_insert"),
        pgtrigger.migrations.RemoveTrigger(model_name="taxonomyterm", name="update_update"),
        migrations.RemoveConstraint(model_name="taxonomyterm", name="bit_fits_a_bigint"),
        migrations.AddField(
            model_name="servicearea",
            name="rule",
            field=models.CharField(
                choices=[
                    ("required", "only people who live there"),
                    ("excluded", "nobody who lives there"),
                    ("preferred", "first people who live there"),
                ],
                default="required",
                max_length=10,
            ),
        ),
        *(
            migrations.AddField(
                model_name=model,
                name="unconfirmed",
                field=models.BooleanField(default=False, help_text="What its code means has not been checked by a clinician."),
            )
            for model in ("taxonomyterm", "taxonomytermevent")
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="taxonomyterm",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "catalogue_taxonomytermevent" ("bit", "code", "description", "edited_at", "group", "id", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_by_id", "retired_at", "retired_reason", "snomed_refset", "synonyms", "taxonomy_id", "term_uri", "unconfirmed") VALUES (NEW."bit", NEW."code", NEW."description", NEW."edited_at", NEW."group", NEW."id", NEW."name", NEW."parent_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."replaced_by_id", NEW."retired_at", NEW."retired_reason", NEW."snomed_refset", NEW."synonyms", NEW."taxonomy_id", NEW."term_uri", NEW."unconfirmed"); RETURN NULL;',
                    hash="e6fdb9e604da3eaf7c446aee701f3edb427ea87f",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_fdabc",
                    table="catalogue_taxonomyterm",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="taxonomyterm",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "catalogue_taxonomytermevent" ("bit", "code", "description", "edited_at", "group", "id", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_by_id", "retired_at", "retired_reason", "snomed_refset", "synonyms", "taxonomy_id", "term_uri", "unconfirmed") VALUES (NEW."bit", NEW."code", NEW."description", NEW."edited_at", NEW."group", NEW."id", NEW."name", NEW."parent_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."replaced_by_id", NEW."retired_at", NEW."retired_reason", NEW."snomed_refset", NEW."synonyms", NEW."taxonomy_id", NEW."term_uri", NEW."unconfirmed"); RETURN NULL;',
                    hash="e648f3a2740e63aa8af2820282107da407c3ad4b",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f4def",
                    table="catalogue_taxonomyterm",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="taxonomyterm",
            constraint=models.CheckConstraint(
                condition=models.Q(("bit__isnull", True), ("bit__lte", 123), _connector="OR"),
                name="bit_fits_two_words",
                violation_error_message="A term's bit must be between 0 and 123.",
            ),
        ),
        migrations.RunPython(give_bits, migrations.RunPython.noop),
    ]
