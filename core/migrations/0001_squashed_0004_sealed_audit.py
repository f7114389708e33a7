"""All that the migrations up to 0004_sealed_audit make, in one step: a new database need not draw the models hundreds of times.

A database at one of those goes on by them: they stay until no site can be at any.
Besides the tables: extensions, and a gentler function of the history.
"""

import core.models
import core.tables
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.utils.timezone
import pgtrigger.compiler
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


ATTACH = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    id_ uuid := nullif(current_setting('pghistory.context_id', true), '')::uuid;
    metadata_ jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb;
BEGIN
    IF id_ IS NULL OR metadata_ IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at) VALUES (id_, metadata_, now(), now())
    ON CONFLICT (id) DO UPDATE SET metadata = excluded.metadata, updated_at = excluded.updated_at
    WHERE pghistory_context.metadata <> excluded.metadata;
    RETURN id_;
END $$;
"""


def back(apps, schema_editor):
    from pghistory.models import Context

    Context.install_pgh_attach_context_func(using=schema_editor.connection.alias)


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("core", "0001_extensions"),
        ("core", "0002_initial"),
        ("core", "0003_history_asks_gently"),
        ("core", "0004_sealed_audit"),
    ]
    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS postgis", migrations.RunSQL.noop),
        TrigramExtension(),
        core.tables.CreateModels(
            models=[
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('xid', core.models.Xid8Field(db_default=core.models.PgCurrentXactId(), editable=False)),
                        ('type', models.CharField(max_length=64)),
                        ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), size=None)),
                        ('audience', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), help_text='Organisations that may learn of it; null: anyone.', null=True, size=None)),
                        ('data', models.JSONField(default=dict)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['xid', 'id'], name='event_cursor'), django.contrib.postgres.indexes.GinIndex(fields=['topics'], name='event_topics')],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5812a9bd27de04e45c2697d11c237e7e59133f76', operation='UPDATE', pgid='pgtrigger_append_only_56466', table='core_event', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='AuditEntry',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('user_id', models.UUIDField()),
                        ('organization_id', models.UUIDField(null=True)),
                        ('role', models.CharField(max_length=20)),
                        ('action', models.CharField(max_length=20)),
                        ('record_type', models.CharField(max_length=40)),
                        ('record_id', models.UUIDField(db_index=True)),
                        ('purpose', models.CharField(max_length=40)),
                    ],
                    options={
                        'verbose_name_plural': 'audit entries',
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6b2652b5bb5129424469034ae53d5116f56d3e42', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_97da0', table='core_auditentry', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='AuditSeal',
                    fields=[
                        ('number', models.PositiveBigIntegerField(help_text='1, 2, 3 …: one that is missing shows.', primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                        ('upto_id', models.BigIntegerField(help_text='Of the last entry that it seals.')),
                        ('entries', models.PositiveIntegerField(help_text='How many it seals.')),
                        ('digest', models.CharField(help_text='SHA-256 of these entries, in hexadecimal.', max_length=64)),
                        ('signature', models.CharField(help_text="HMAC-SHA-256, by the site's key, of the seal before and of all this.", max_length=64)),
                    ],
                    options={
                        'ordering': ['number'],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='86a515a11914d2b3b68a3c1250a09a1667785f92', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b7549', table='core_auditseal', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='IdempotencyKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(max_length=120)),
                        ('user_id', models.UUIDField()),
                        ('fingerprint', models.CharField(help_text='SHA-256 of method, path and body.', max_length=64)),
                        ('status', models.PositiveSmallIntegerField(null=True)),
                        ('body', models.JSONField(null=True)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('user_id', 'key'), name='one_answer_per_key')],
                    },
                ),
            ],
        ),
        migrations.RunSQL(ATTACH, migrations.RunSQL.noop),
        migrations.RunPython(migrations.RunPython.noop, back),
    ]
