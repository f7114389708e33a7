"""History is written once for each statement rather than once for each row (`PGHISTORY_LEVEL`): an import brings hundreds with one."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0018_everything_published_is_told'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='eligibility',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='eligibility',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='eligibilitycriterion',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='eligibilitycriterion',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='organization',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='organization',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='registrationcriterion',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='registrationcriterion',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='service',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='service',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='taxonomyterm',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='taxonomyterm',
            name='update_update',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='eligibility',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilityevent" ("maximum_age", "minimum_age", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_id", "sex", "sex_reason") SELECT new_values."maximum_age", new_values."minimum_age", new_values."notes", _pgh_attached_context.value, NOW(), \'insert\', new_values."service_id", new_values."service_id", new_values."sex", new_values."sex_reason" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='37bde2c9bdd452c90a3ca872e9c3a2065352fb4a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_d5acb', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_eligibility', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='eligibility',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilityevent" ("maximum_age", "minimum_age", "notes", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "service_id", "sex", "sex_reason") SELECT new_values."maximum_age", new_values."minimum_age", new_values."notes", _pgh_attached_context.value, NOW(), \'update\', new_values."service_id", new_values."service_id", new_values."sex", new_values."sex_reason" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."service_id") = (new_values."service_id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='9f7ca1ba12f77e39fdcaaf21414eca170f9e2e9a', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_e3bcb', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_eligibility', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='eligibilitycriterion',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilitycriterionevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id", "term_id") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."rule", new_values."service_id", new_values."term_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='197df8f69f5ba617b6f1613d12a6cc32bce6f41a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_0cf1e', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_eligibilitycriterion', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='eligibilitycriterion',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_eligibilitycriterionevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id", "term_id") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."rule", new_values."service_id", new_values."term_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='1c1a806a2a59687d90f8c3c60ab853c884689aee', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_97d35', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_eligibilitycriterion', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='organization',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_organizationevent" ("charity_number", "company_number", "cqc_provider_id", "created_at", "description", "edits_need_approval", "email", "id", "is_confidential", "kind", "modified_at", "name", "ods_code", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source", "source_hash", "source_id", "website") SELECT new_values."charity_number", new_values."company_number", new_values."cqc_provider_id", new_values."created_at", new_values."description", new_values."edits_need_approval", new_values."email", new_values."id", new_values."is_confidential", new_values."kind", new_values."modified_at", new_values."name", new_values."ods_code", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."source", new_values."source_hash", new_values."source_id", new_values."website" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='1609c19652f9fc960755a5abdbec3bd983efc697', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_a1980', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_organization', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='organization',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_organizationevent" ("charity_number", "company_number", "cqc_provider_id", "created_at", "description", "edits_need_approval", "email", "id", "is_confidential", "kind", "modified_at", "name", "ods_code", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source", "source_hash", "source_id", "website") SELECT new_values."charity_number", new_values."company_number", new_values."cqc_provider_id", new_values."created_at", new_values."description", new_values."edits_need_approval", new_values."email", new_values."id", new_values."is_confidential", new_values."kind", new_values."modified_at", new_values."name", new_values."ods_code", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."source", new_values."source_hash", new_values."source_id", new_values."website" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='2236d1760fb055b2864a67be11c5753fe09047b9', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_2fafc', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_organization', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='registrationcriterion',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_registrationcriterionevent" ("code", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id") SELECT new_values."code", new_values."id", new_values."kind", new_values."name", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."rule", new_values."service_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='d35e296335278f8811ae1c21746204c98bdd25df', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_1e40b', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_registrationcriterion', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='registrationcriterion',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_registrationcriterionevent" ("code", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rule", "service_id") SELECT new_values."code", new_values."id", new_values."kind", new_values."name", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."rule", new_values."service_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='c835a01fd1ede39cdbb70f3f3a315b3f4eb2d1ce', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_1201b', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_registrationcriterion', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='service',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_serviceevent" ("alternate_name", "assured_by", "assured_date", "care_type_id", "catchment_m", "cqc_rated_on", "cqc_rating", "created_at", "description", "email", "id", "is_confidential", "is_internal", "kept_fields", "merged_into_id", "modified_at", "name", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_week", "registered_places", "source", "source_hash", "source_id", "status", "url") SELECT new_values."alternate_name", new_values."assured_by", new_values."assured_date", new_values."care_type_id", new_values."catchment_m", new_values."cqc_rated_on", new_values."cqc_rating", new_values."created_at", new_values."description", new_values."email", new_values."id", new_values."is_confidential", new_values."is_internal", new_values."kept_fields", new_values."merged_into_id", new_values."modified_at", new_values."name", new_values."organization_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."price_week", new_values."registered_places", new_values."source", new_values."source_hash", new_values."source_id", new_values."status", new_values."url" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='d16f153828c1bc7354e41bde9b17e6df30d172b6', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_abccd', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_service', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='service',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_serviceevent" ("alternate_name", "assured_by", "assured_date", "care_type_id", "catchment_m", "cqc_rated_on", "cqc_rating", "created_at", "description", "email", "id", "is_confidential", "is_internal", "kept_fields", "merged_into_id", "modified_at", "name", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "price_week", "registered_places", "source", "source_hash", "source_id", "status", "url") SELECT new_values."alternate_name", new_values."assured_by", new_values."assured_date", new_values."care_type_id", new_values."catchment_m", new_values."cqc_rated_on", new_values."cqc_rating", new_values."created_at", new_values."description", new_values."email", new_values."id", new_values."is_confidential", new_values."is_internal", new_values."kept_fields", new_values."merged_into_id", new_values."modified_at", new_values."name", new_values."organization_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."price_week", new_values."registered_places", new_values."source", new_values."source_hash", new_values."source_id", new_values."status", new_values."url" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='0cc9a7169df271d3dd4aee4604b6a6444996e945', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_f4e52', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_service', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='taxonomyterm',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_taxonomytermevent" ("bit", "code", "description", "edited_at", "group", "id", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_by_id", "retired_at", "retired_reason", "snomed_refset", "synonyms", "taxonomy_id", "term_uri", "unconfirmed") SELECT new_values."bit", new_values."code", new_values."description", new_values."edited_at", new_values."group", new_values."id", new_values."name", new_values."parent_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."replaced_by_id", new_values."retired_at", new_values."retired_reason", new_values."snomed_refset", new_values."synonyms", new_values."taxonomy_id", new_values."term_uri", new_values."unconfirmed" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='2f72ea86de4c3b58952069b8e57749527064ac0d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_fdabc', referencing='REFERENCING NEW TABLE AS new_values ', table='catalogue_taxonomyterm', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='taxonomyterm',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalogue_taxonomytermevent" ("bit", "code", "description", "edited_at", "group", "id", "name", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_by_id", "retired_at", "retired_reason", "snomed_refset", "synonyms", "taxonomy_id", "term_uri", "unconfirmed") SELECT new_values."bit", new_values."code", new_values."description", new_values."edited_at", new_values."group", new_values."id", new_values."name", new_values."parent_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."replaced_by_id", new_values."retired_at", new_values."retired_reason", new_values."snomed_refset", new_values."synonyms", new_values."taxonomy_id", new_values."term_uri", new_values."unconfirmed" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='fa33dbf47a05bde6f693be479d02863d33f14543', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_f4def', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='catalogue_taxonomyterm', when='AFTER')),
        ),
    ]
