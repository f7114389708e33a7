"""People with how to reach them, whether their number was checked and who is around them; consents; merges; versions and history of each."""
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import flow.models.patient
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0029_isolated'),
        ('flow', '0016_screens'),
        ('matching', '0015_values_for_old_processes'),
        ('pghistory', '0007_auto_20250421_0444'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('direct-care', 'Referrals for their care'), ('sharing', 'Sharing with a kind of organisation'), ('text', 'Text messages to them'), ('email', 'E-mails to them'), ('figures', 'Use for research and figures that could name them')], max_length=15)),
                ('kind', models.CharField(blank=True, choices=[('hospital', 'Hospital'), ('practice', 'General practice'), ('council', 'Council'), ('provider', 'Care provider'), ('charity', 'Charity or community group'), ('nhs-community', 'NHS community or mental health provider'), ('icb', 'Integrated care board'), ('other', 'Other')], default='', help_text='With whom it is shared, for that purpose.', max_length=20)),
                ('decision', models.CharField(choices=[('given', 'Agreed'), ('refused', 'Said no'), ('withdrawn', 'Took it back')], max_length=10)),
                ('source', models.CharField(choices=[('said', 'They said so'), ('written', 'In writing'), ('best-interests', 'Decided in their best interests'), ('legal-basis', 'Another legal basis')], max_length=15)),
                ('decided_by', models.CharField(blank=True, help_text="Who decided in the person's best interests, and as what.", max_length=200)),
                ('basis', models.CharField(blank=True, help_text='The legal basis, or a note.', max_length=300)),
                ('decided_on', models.DateField()),
                ('recorded_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-decided_on', '-recorded_at'],
            },
        ),
        migrations.CreateModel(
            name='EpisodeEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ('kind', models.CharField(choices=[('hospital', 'Hospital stay'), ('community', 'In the community')], max_length=10)),
                ('ward', models.CharField(blank=True, max_length=60)),
                ('discharge_pathway', models.CharField(choices=[('P0', 'P0: home, no new support'), ('P1', 'P1: home with support'), ('P2', 'P2: community bed'), ('P3', 'P3: care home'), ('C', 'Community')], max_length=2)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ready_at', models.DateTimeField(blank=True, help_text='No criteria to reside since; or waiting since.', null=True)),
                ('criteria_to_reside', models.CharField(blank=True, choices=[('', 'Not recorded'), ('meets', 'Meets the criteria to reside'), ('none', 'No criteria to reside')], db_default='', default='', max_length=10)),
                ('reside_reviewed_on', models.DateField(blank=True, help_text='When the criteria to reside were last looked at.', null=True)),
                ('expected_on', models.DateField(blank=True, help_text='When they are expected to leave.', null=True)),
                ('delay_reason', models.CharField(blank=True, choices=[('', 'No delay recorded'), ('awaiting-bed', 'Waiting for a bed'), ('awaiting-package', 'Waiting for home care'), ('assessment', 'Waiting for an assessment'), ('funding', 'Waiting for funding'), ('family-choice', 'Family is choosing'), ('equipment', 'Waiting for equipment'), ('housing', 'Housing')], default='', max_length=20)),
                ('infection', models.CharField(blank=True, choices=[('', 'None known'), ('covid-19', 'COVID-19'), ('flu', 'Flu'), ('norovirus', 'Norovirus (sickness and diarrhoea)'), ('c-difficile', 'C. difficile'), ('mrsa', 'MRSA'), ('other', 'Another one: a room of their own')], db_default='', default='', help_text="For which the person is kept apart: decides who may share a room. Seen by the person's own team alone.", max_length=20)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('changed_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(db_default=1, default=1)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='NotOnePerson',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('said_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='PatientEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ('nhs_number', models.CharField(blank=True, max_length=10, validators=[flow.models.patient.validate_nhs_number])),
                ('nhs_status', models.CharField(choices=[('verified', 'Checked: it is theirs'), ('unverified', 'Not checked'), ('unknown', 'Not known whether it was checked')], db_default='unknown', default='unknown', max_length=10)),
                ('nhs_checked_how', models.CharField(blank=True, choices=[('traced', 'Traced in the national register (PDS)'), ('document', 'Seen on a letter or document of theirs'), ('launched', 'Came from a record system that had checked it')], db_default='', default='', max_length=10)),
                ('nhs_checked_at', models.DateTimeField(blank=True, null=True)),
                ('given_name', models.CharField(max_length=100)),
                ('family_name', models.CharField(max_length=100)),
                ('birth_date', models.DateField()),
                ('sex', models.CharField(choices=[('female', 'Female'), ('male', 'Male'), ('other', 'Other'), ('unknown', 'Not known')], default='unknown', max_length=10)),
                ('address', models.CharField(blank=True, db_default='', default='', help_text='House and street; the postcode is apart.', max_length=200)),
                ('postcode', models.CharField(max_length=8)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('email', models.EmailField(blank=True, db_default='', default='', max_length=254)),
                ('preferred_contact', models.CharField(blank=True, choices=[('', 'Not asked yet'), ('phone', 'Phone call'), ('text', 'Text message'), ('email', 'E-mail'), ('post', 'Letter by post'), ('through', 'Through somebody else')], db_default='', default='', max_length=10)),
                ('contact_note', models.CharField(blank=True, db_default='', default='', help_text='When, through whom and how it is safe to reach them.', max_length=300)),
                ('preferred_language', models.CharField(default='en', max_length=10)),
                ('needs_interpreter', models.BooleanField(db_default=False, default=False)),
                ('access_needs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('large-print', 'Large print'), ('braille', 'Braille'), ('audio', 'Audio, or read aloud'), ('easy-read', 'Easy Read: short words with pictures'), ('electronic', 'Sent as a file that a screen reader can read'), ('bsl', 'British Sign Language interpreter'), ('deafblind', 'Deafblind communicator or guide'), ('lip-reading', 'Lip reads: face them, speak clearly'), ('hearing-loop', 'Hearing loop'), ('text-relay', 'Relay UK (text relay)'), ('advocate', 'An advocate or supporter at their side'), ('longer-time', 'More time to talk and answer')], max_length=20), blank=True, db_default=[], default=list, help_text='What they need to read, hear and be understood.', size=None)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('changed_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(db_default=1, default=1)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PatientMerge',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('taken', models.JSONField(default=dict, help_text='Field of `kept` to the value taken from `gone`.')),
                ('before', models.JSONField(default=dict, help_text='Field of `kept` to the value that it had.')),
                ('moved', models.JSONField(default=dict, help_text='Model and field to the keys of the rows that were handed on.')),
                ('set_aside', models.JSONField(default=list, help_text='Rows that would have said that somebody is tied to themselves, or twice.')),
                ('merged_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-merged_at'],
            },
        ),
        migrations.CreateModel(
            name='RelatedPerson',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, help_text='Empty when they have a record of their own.', max_length=200)),
                ('relation', models.CharField(choices=[('partner', 'Husband, wife or partner'), ('parent', 'Parent'), ('child', 'Son or daughter'), ('sibling', 'Brother or sister'), ('relative', 'Another relative'), ('friend', 'Friend'), ('neighbour', 'Neighbour'), ('attorney', 'Attorney or deputy'), ('professional', 'A professional who knows them'), ('other', 'Somebody else')], max_length=15)),
                ('care', models.CharField(blank=True, choices=[('', 'Neither cares for the other'), ('cares', 'They care for this person'), ('cared-for', 'This person cares for them')], default='', max_length=10)),
                ('is_next_of_kin', models.BooleanField(default=False)),
                ('may_be_told', models.BooleanField(default=False, help_text='The person agrees that they are spoken to about them.')),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(db_default=1, default=1)),
            ],
            options={
                'ordering': ['-is_next_of_kin', 'created_at'],
            },
        ),
        migrations.CreateModel(
            name='RelatedPersonEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ('name', models.CharField(blank=True, help_text='Empty when they have a record of their own.', max_length=200)),
                ('relation', models.CharField(choices=[('partner', 'Husband, wife or partner'), ('parent', 'Parent'), ('child', 'Son or daughter'), ('sibling', 'Brother or sister'), ('relative', 'Another relative'), ('friend', 'Friend'), ('neighbour', 'Neighbour'), ('attorney', 'Attorney or deputy'), ('professional', 'A professional who knows them'), ('other', 'Somebody else')], max_length=15)),
                ('care', models.CharField(blank=True, choices=[('', 'Neither cares for the other'), ('cares', 'They care for this person'), ('cared-for', 'This person cares for them')], default='', max_length=10)),
                ('is_next_of_kin', models.BooleanField(default=False)),
                ('may_be_told', models.BooleanField(default=False, help_text='The person agrees that they are spoken to about them.')),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(db_default=1, default=1)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RemoveConstraint(
            model_name='patient',
            name='one_patient_per_nhs_number',
        ),
        migrations.AddField(
            model_name='episode',
            name='changed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='episode',
            name='changed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='episode',
            name='criteria_to_reside',
            field=models.CharField(blank=True, choices=[('', 'Not recorded'), ('meets', 'Meets the criteria to reside'), ('none', 'No criteria to reside')], db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='episode',
            name='reside_reviewed_on',
            field=models.DateField(blank=True, help_text='When the criteria to reside were last looked at.', null=True),
        ),
        migrations.AddField(
            model_name='episode',
            name='version',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='patient',
            name='access_needs',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('large-print', 'Large print'), ('braille', 'Braille'), ('audio', 'Audio, or read aloud'), ('easy-read', 'Easy Read: short words with pictures'), ('electronic', 'Sent as a file that a screen reader can read'), ('bsl', 'British Sign Language interpreter'), ('deafblind', 'Deafblind communicator or guide'), ('lip-reading', 'Lip reads: face them, speak clearly'), ('hearing-loop', 'Hearing loop'), ('text-relay', 'Relay UK (text relay)'), ('advocate', 'An advocate or supporter at their side'), ('longer-time', 'More time to talk and answer')], max_length=20), blank=True, db_default=[], default=list, help_text='What they need to read, hear and be understood.', size=None),
        ),
        migrations.AddField(
            model_name='patient',
            name='address',
            field=models.CharField(blank=True, db_default='', default='', help_text='House and street; the postcode is apart.', max_length=200),
        ),
        migrations.AddField(
            model_name='patient',
            name='changed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='patient',
            name='changed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patient',
            name='contact_note',
            field=models.CharField(blank=True, db_default='', default='', help_text='When, through whom and how it is safe to reach them.', max_length=300),
        ),
        migrations.AddField(
            model_name='patient',
            name='email',
            field=models.EmailField(blank=True, db_default='', default='', max_length=254),
        ),
        migrations.AddField(
            model_name='patient',
            name='merged_into',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='patient',
            name='needs_interpreter',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='patient',
            name='nhs_checked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='patient',
            name='nhs_checked_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patient',
            name='nhs_checked_how',
            field=models.CharField(blank=True, choices=[('traced', 'Traced in the national register (PDS)'), ('document', 'Seen on a letter or document of theirs'), ('launched', 'Came from a record system that had checked it')], db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='patient',
            name='nhs_status',
            field=models.CharField(choices=[('verified', 'Checked: it is theirs'), ('unverified', 'Not checked'), ('unknown', 'Not known whether it was checked')], db_default='unknown', default='unknown', max_length=10),
        ),
        migrations.AddField(
            model_name='patient',
            name='preferred_contact',
            field=models.CharField(blank=True, choices=[('', 'Not asked yet'), ('phone', 'Phone call'), ('text', 'Text message'), ('email', 'E-mail'), ('post', 'Letter by post'), ('through', 'Through somebody else')], db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='patient',
            name='version',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AlterField(
            model_name='episode',
            name='expected_on',
            field=models.DateField(blank=True, help_text='When they are expected to leave.', null=True),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['organization', 'birth_date'], name='patient_born'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='episode',
            trigger=pgtrigger.compiler.Trigger(name='count_versions', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."changed_at" IS DISTINCT FROM (NEW."changed_at") OR OLD."changed_by_id" IS DISTINCT FROM (NEW."changed_by_id") OR OLD."criteria_to_reside" IS DISTINCT FROM (NEW."criteria_to_reside") OR OLD."delay_reason" IS DISTINCT FROM (NEW."delay_reason") OR OLD."discharge_pathway" IS DISTINCT FROM (NEW."discharge_pathway") OR OLD."ended_at" IS DISTINCT FROM (NEW."ended_at") OR OLD."expected_on" IS DISTINCT FROM (NEW."expected_on") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."infection" IS DISTINCT FROM (NEW."infection") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."ready_at" IS DISTINCT FROM (NEW."ready_at") OR OLD."reside_reviewed_on" IS DISTINCT FROM (NEW."reside_reviewed_on") OR OLD."started_at" IS DISTINCT FROM (NEW."started_at") OR OLD."ward" IS DISTINCT FROM (NEW."ward"))', func='NEW.version := OLD.version + 1; RETURN NEW;', hash='975e6bcc02b8b0434b344a82e50c91b6a99f1d5f', operation='UPDATE', pgid='pgtrigger_count_versions_e45e1', table='flow_episode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='episode',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "flow_episodeevent" ("changed_at", "changed_by_id", "criteria_to_reside", "delay_reason", "discharge_pathway", "ended_at", "expected_on", "id", "infection", "kind", "organization_id", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "ready_at", "reside_reviewed_on", "started_at", "version", "ward") SELECT new_values."changed_at", new_values."changed_by_id", new_values."criteria_to_reside", new_values."delay_reason", new_values."discharge_pathway", new_values."ended_at", new_values."expected_on", new_values."id", new_values."infection", new_values."kind", new_values."organization_id", new_values."patient_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."ready_at", new_values."reside_reviewed_on", new_values."started_at", new_values."version", new_values."ward" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='6a081617094bb16f6cf4560f5b15d8ad6adc2cc2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_c55e7', referencing='REFERENCING NEW TABLE AS new_values ', table='flow_episode', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='episode',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "flow_episodeevent" ("changed_at", "changed_by_id", "criteria_to_reside", "delay_reason", "discharge_pathway", "ended_at", "expected_on", "id", "infection", "kind", "organization_id", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "ready_at", "reside_reviewed_on", "started_at", "version", "ward") SELECT new_values."changed_at", new_values."changed_by_id", new_values."criteria_to_reside", new_values."delay_reason", new_values."discharge_pathway", new_values."ended_at", new_values."expected_on", new_values."id", new_values."infection", new_values."kind", new_values."organization_id", new_values."patient_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."ready_at", new_values."reside_reviewed_on", new_values."started_at", new_values."version", new_values."ward" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."changed_at" IS DISTINCT FROM (new_values."changed_at") OR old_values."changed_by_id" IS DISTINCT FROM (new_values."changed_by_id") OR old_values."criteria_to_reside" IS DISTINCT FROM (new_values."criteria_to_reside") OR old_values."delay_reason" IS DISTINCT FROM (new_values."delay_reason") OR old_values."discharge_pathway" IS DISTINCT FROM (new_values."discharge_pathway") OR old_values."ended_at" IS DISTINCT FROM (new_values."ended_at") OR old_values."expected_on" IS DISTINCT FROM (new_values."expected_on") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."infection" IS DISTINCT FROM (new_values."infection") OR old_values."kind" IS DISTINCT FROM (new_values."kind") OR old_values."organization_id" IS DISTINCT FROM (new_values."organization_id") OR old_values."patient_id" IS DISTINCT FROM (new_values."patient_id") OR old_values."ready_at" IS DISTINCT FROM (new_values."ready_at") OR old_values."reside_reviewed_on" IS DISTINCT FROM (new_values."reside_reviewed_on") OR old_values."started_at" IS DISTINCT FROM (new_values."started_at") OR old_values."version" IS DISTINCT FROM (new_values."version") OR old_values."ward" IS DISTINCT FROM (new_values."ward")) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='003d3e1cb466ab39dc79ef1c20aeee1a079268ae', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_c6b32', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='flow_episode', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='patient',
            trigger=pgtrigger.compiler.Trigger(name='count_versions', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."access_needs" IS DISTINCT FROM (NEW."access_needs") OR OLD."address" IS DISTINCT FROM (NEW."address") OR OLD."birth_date" IS DISTINCT FROM (NEW."birth_date") OR OLD."changed_at" IS DISTINCT FROM (NEW."changed_at") OR OLD."changed_by_id" IS DISTINCT FROM (NEW."changed_by_id") OR OLD."contact_note" IS DISTINCT FROM (NEW."contact_note") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."family_name" IS DISTINCT FROM (NEW."family_name") OR OLD."given_name" IS DISTINCT FROM (NEW."given_name") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."merged_into_id" IS DISTINCT FROM (NEW."merged_into_id") OR OLD."needs_interpreter" IS DISTINCT FROM (NEW."needs_interpreter") OR OLD."nhs_checked_at" IS DISTINCT FROM (NEW."nhs_checked_at") OR OLD."nhs_checked_by_id" IS DISTINCT FROM (NEW."nhs_checked_by_id") OR OLD."nhs_checked_how" IS DISTINCT FROM (NEW."nhs_checked_how") OR OLD."nhs_number" IS DISTINCT FROM (NEW."nhs_number") OR OLD."nhs_status" IS DISTINCT FROM (NEW."nhs_status") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."phone" IS DISTINCT FROM (NEW."phone") OR OLD."point" IS DISTINCT FROM (NEW."point") OR OLD."postcode" IS DISTINCT FROM (NEW."postcode") OR OLD."preferred_contact" IS DISTINCT FROM (NEW."preferred_contact") OR OLD."preferred_language" IS DISTINCT FROM (NEW."preferred_language") OR OLD."sex" IS DISTINCT FROM (NEW."sex"))', func='NEW.version := OLD.version + 1; RETURN NEW;', hash='488686c349936d8293670cbfcc0e2b40b10345ea', operation='UPDATE', pgid='pgtrigger_count_versions_61deb', table='flow_patient', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='patient',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "flow_patientevent" ("access_needs", "address", "birth_date", "changed_at", "changed_by_id", "contact_note", "created_at", "created_by_id", "email", "family_name", "given_name", "id", "merged_into_id", "needs_interpreter", "nhs_checked_at", "nhs_checked_by_id", "nhs_checked_how", "nhs_number", "nhs_status", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "postcode", "preferred_contact", "preferred_language", "sex", "version") SELECT new_values."access_needs", new_values."address", new_values."birth_date", new_values."changed_at", new_values."changed_by_id", new_values."contact_note", new_values."created_at", new_values."created_by_id", new_values."email", new_values."family_name", new_values."given_name", new_values."id", new_values."merged_into_id", new_values."needs_interpreter", new_values."nhs_checked_at", new_values."nhs_checked_by_id", new_values."nhs_checked_how", new_values."nhs_number", new_values."nhs_status", new_values."organization_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."phone", new_values."postcode", new_values."preferred_contact", new_values."preferred_language", new_values."sex", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='c9704d84f7607433e44029a25ba623d6a68b8e29', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_ffcac', referencing='REFERENCING NEW TABLE AS new_values ', table='flow_patient', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='patient',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "flow_patientevent" ("access_needs", "address", "birth_date", "changed_at", "changed_by_id", "contact_note", "created_at", "created_by_id", "email", "family_name", "given_name", "id", "merged_into_id", "needs_interpreter", "nhs_checked_at", "nhs_checked_by_id", "nhs_checked_how", "nhs_number", "nhs_status", "organization_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "postcode", "preferred_contact", "preferred_language", "sex", "version") SELECT new_values."access_needs", new_values."address", new_values."birth_date", new_values."changed_at", new_values."changed_by_id", new_values."contact_note", new_values."created_at", new_values."created_by_id", new_values."email", new_values."family_name", new_values."given_name", new_values."id", new_values."merged_into_id", new_values."needs_interpreter", new_values."nhs_checked_at", new_values."nhs_checked_by_id", new_values."nhs_checked_how", new_values."nhs_number", new_values."nhs_status", new_values."organization_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."phone", new_values."postcode", new_values."preferred_contact", new_values."preferred_language", new_values."sex", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."access_needs" IS DISTINCT FROM (new_values."access_needs") OR old_values."address" IS DISTINCT FROM (new_values."address") OR old_values."birth_date" IS DISTINCT FROM (new_values."birth_date") OR old_values."changed_at" IS DISTINCT FROM (new_values."changed_at") OR old_values."changed_by_id" IS DISTINCT FROM (new_values."changed_by_id") OR old_values."contact_note" IS DISTINCT FROM (new_values."contact_note") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."created_by_id" IS DISTINCT FROM (new_values."created_by_id") OR old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."family_name" IS DISTINCT FROM (new_values."family_name") OR old_values."given_name" IS DISTINCT FROM (new_values."given_name") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."merged_into_id" IS DISTINCT FROM (new_values."merged_into_id") OR old_values."needs_interpreter" IS DISTINCT FROM (new_values."needs_interpreter") OR old_values."nhs_checked_at" IS DISTINCT FROM (new_values."nhs_checked_at") OR old_values."nhs_checked_by_id" IS DISTINCT FROM (new_values."nhs_checked_by_id") OR old_values."nhs_checked_how" IS DISTINCT FROM (new_values."nhs_checked_how") OR old_values."nhs_number" IS DISTINCT FROM (new_values."nhs_number") OR old_values."nhs_status" IS DISTINCT FROM (new_values."nhs_status") OR old_values."organization_id" IS DISTINCT FROM (new_values."organization_id") OR old_values."phone" IS DISTINCT FROM (new_values."phone") OR old_values."postcode" IS DISTINCT FROM (new_values."postcode") OR old_values."preferred_contact" IS DISTINCT FROM (new_values."preferred_contact") OR old_values."preferred_language" IS DISTINCT FROM (new_values."preferred_language") OR old_values."sex" IS DISTINCT FROM (new_values."sex") OR old_values."version" IS DISTINCT FROM (new_values."version")) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='a17752e4a0483f9a4d2013ae29897dca016ebab9', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_c54e8', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='flow_patient', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='episode',
            constraint=models.CheckConstraint(condition=models.Q(('criteria_to_reside__in', ['', 'none']), ('ready_at__isnull', True), _connector='OR'), name='ready_has_no_criteria_to_reside', violation_error_message='Somebody who meets the criteria to reside is not ready to leave. Change one of the two.'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('nhs_number', ''), _negated=True), ('merged_into__isnull', True)), fields=('organization', 'nhs_number'), name='one_patient_per_nhs_number', violation_error_message='Your organisation already has a person with this NHS number.'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('nhs_checked_at__isnull', False), ('nhs_status', 'verified'), models.Q(('nhs_number', ''), _negated=True), models.Q(('nhs_checked_how', ''), _negated=True)), models.Q(models.Q(('nhs_status', 'verified'), _negated=True), ('nhs_checked_at__isnull', True), ('nhs_checked_how', '')), _connector='OR'), name='a_checked_number_says_how', violation_error_message='Say how it was made sure that the NHS number is theirs, or leave it as not checked.'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('preferred_contact__in', ['', 'post', 'through']), models.Q(('preferred_contact__in', ['phone', 'text']), models.Q(('phone', ''), _negated=True)), models.Q(('preferred_contact', 'email'), models.Q(('email', ''), _negated=True)), _connector='OR'), name='reached_as_they_prefer', violation_error_message='Enter the phone number or e-mail address by which they would rather be reached.'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into__isnull', True), models.Q(('merged_into', models.F('id')), _negated=True), _connector='OR'), name='nobody_is_merged_into_themselves', violation_error_message='Choose two records: a person cannot be merged into themselves.'),
        ),
        migrations.AddField(
            model_name='consent',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='consent',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='consent',
            name='recorded_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='episodeevent',
            name='changed_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='episodeevent',
            name='organization',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='episodeevent',
            name='patient',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='episodeevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='episodeevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='flow.episode'),
        ),
        migrations.AddField(
            model_name='notoneperson',
            name='one',
            field=models.ForeignKey(help_text='The one with the smaller id.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='notoneperson',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='notoneperson',
            name='other',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='notoneperson',
            name='said_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patientevent',
            name='changed_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patientevent',
            name='created_by',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patientevent',
            name='merged_into',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='patientevent',
            name='nhs_checked_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patientevent',
            name='organization',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='patientevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='patientevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='patientmerge',
            name='gone',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='patientmerge',
            name='kept',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='patientmerge',
            name='merged_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patientmerge',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='patientmerge',
            name='undone_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='relatedperson',
            name='changed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='relatedperson',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='relatedperson',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='relatedperson',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='related_people', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='relatedperson',
            name='person',
            field=models.ForeignKey(blank=True, help_text='Their own record, if there is one.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='related_to', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='relatedpersonevent',
            name='changed_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='relatedpersonevent',
            name='created_by',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='relatedpersonevent',
            name='organization',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='relatedpersonevent',
            name='patient',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='relatedpersonevent',
            name='person',
            field=models.ForeignKey(blank=True, db_constraint=False, help_text='Their own record, if there is one.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='relatedpersonevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='relatedpersonevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='flow.relatedperson'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['patient', 'purpose', 'kind'], name='consent_of'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'sharing'), models.Q(('kind', ''), _negated=True)), models.Q(models.Q(('purpose', 'sharing'), _negated=True), ('kind', '')), _connector='OR'), name='sharing_names_a_kind', violation_error_message='Choose with which kind of organisation it is shared.'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('source', 'best-interests'), _negated=True), models.Q(('decided_by', ''), _negated=True), _connector='OR'), name='best_interests_says_who', violation_error_message='Say who decided in their best interests, and as what: daughter and attorney, or ward manager.'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('source', 'legal-basis'), _negated=True), models.Q(('basis', ''), _negated=True), _connector='OR'), name='a_legal_basis_is_named', violation_error_message='Name the legal basis.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."purpose" IS DISTINCT FROM (NEW."purpose") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."decision" IS DISTINCT FROM (NEW."decision") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."decided_by" IS DISTINCT FROM (NEW."decided_by") OR OLD."basis" IS DISTINCT FROM (NEW."basis") OR OLD."decided_on" IS DISTINCT FROM (NEW."decided_on") OR OLD."recorded_at" IS DISTINCT FROM (NEW."recorded_at") OR OLD."recorded_by_id" IS DISTINCT FROM (NEW."recorded_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2e036986afefadf74e518d5134808604fd79d15c', operation='UPDATE', pgid='pgtrigger_append_only_60d59', table='flow_consent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='notoneperson',
            constraint=models.UniqueConstraint(fields=('one', 'other'), name='said_once_that_they_are_two'),
        ),
        migrations.AddConstraint(
            model_name='notoneperson',
            constraint=models.CheckConstraint(condition=models.Q(('one__lt', models.F('other'))), name='two_people_are_two_records', violation_error_message='Choose two different records.'),
        ),
        migrations.AddConstraint(
            model_name='patientmerge',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('gone',), name='merged_away_once'),
        ),
        migrations.AddConstraint(
            model_name='relatedperson',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('name', ''), ('person__isnull', False)), models.Q(('person__isnull', True), models.Q(('name', ''), _negated=True)), _connector='OR'), name='a_related_person_is_named_once', violation_error_message='Give a name, or choose a record of your own; not both.'),
        ),
        migrations.AddConstraint(
            model_name='relatedperson',
            constraint=models.CheckConstraint(condition=models.Q(('person__isnull', True), models.Q(('person', models.F('patient')), _negated=True), _connector='OR'), name='nobody_is_related_to_themselves', violation_error_message='That is the same person. Name the other one.'),
        ),
        migrations.AddConstraint(
            model_name='relatedperson',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('person__isnull', False)), fields=('patient', 'person'), name='related_once', violation_error_message='These two are noted already. Change that line instead.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='relatedperson',
            trigger=pgtrigger.compiler.Trigger(name='count_versions', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."care" IS DISTINCT FROM (NEW."care") OR OLD."changed_at" IS DISTINCT FROM (NEW."changed_at") OR OLD."changed_by_id" IS DISTINCT FROM (NEW."changed_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."ended_at" IS DISTINCT FROM (NEW."ended_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_next_of_kin" IS DISTINCT FROM (NEW."is_next_of_kin") OR OLD."may_be_told" IS DISTINCT FROM (NEW."may_be_told") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."note" IS DISTINCT FROM (NEW."note") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."phone" IS DISTINCT FROM (NEW."phone") OR OLD."relation" IS DISTINCT FROM (NEW."relation"))', func='NEW.version := OLD.version + 1; RETURN NEW;', hash='a0ae785b787b976aad889a5ede929ccbc7a9af9e', operation='UPDATE', pgid='pgtrigger_count_versions_f15aa', table='flow_relatedperson', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='relatedperson',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "flow_relatedpersonevent" ("care", "changed_at", "changed_by_id", "created_at", "created_by_id", "email", "ended_at", "id", "is_next_of_kin", "may_be_told", "name", "note", "organization_id", "patient_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "relation", "version") SELECT new_values."care", new_values."changed_at", new_values."changed_by_id", new_values."created_at", new_values."created_by_id", new_values."email", new_values."ended_at", new_values."id", new_values."is_next_of_kin", new_values."may_be_told", new_values."name", new_values."note", new_values."organization_id", new_values."patient_id", new_values."person_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."phone", new_values."relation", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='9edde4d5044c54ce8bebdda9b0f9dd0f87033957', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_1e4b2', referencing='REFERENCING NEW TABLE AS new_values ', table='flow_relatedperson', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='relatedperson',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "flow_relatedpersonevent" ("care", "changed_at", "changed_by_id", "created_at", "created_by_id", "email", "ended_at", "id", "is_next_of_kin", "may_be_told", "name", "note", "organization_id", "patient_id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "relation", "version") SELECT new_values."care", new_values."changed_at", new_values."changed_by_id", new_values."created_at", new_values."created_by_id", new_values."email", new_values."ended_at", new_values."id", new_values."is_next_of_kin", new_values."may_be_told", new_values."name", new_values."note", new_values."organization_id", new_values."patient_id", new_values."person_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."phone", new_values."relation", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='121b911f0fa7d0cd37d99091815cf929c60cb772', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_ac127', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='flow_relatedperson', when='AFTER')),
        ),
    ]
