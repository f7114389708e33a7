"""Providers without an account: contacts, links, codes and calls; who is expected at which session and who came."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('capacity', '0013_limits'),
        ('catalogue', '0029_isolated'),
        ('flow', '0020_casework_teams'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='transition',
            name='said_by',
            field=models.CharField(blank=True, db_default='', default='', help_text='Who said it, where that is nobody who signs in as the provider.', max_length=300),
        ),
        migrations.CreateModel(
            name='Booking',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('worker', models.CharField(blank=True, help_text='With whom, where it is an appointment with one person.', max_length=80)),
                ('took_place', models.BooleanField(default=False, help_text='A counted place of the session went to them; cancelling gives it back.')),
                ('booked_at', models.DateTimeField()),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('booked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('cancelled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.service')),
                ('session', models.ForeignKey(blank=True, help_text='Whose places it takes one of.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='capacity.servicecapacity')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bookings', to='flow.referraltask')),
            ],
            options={
                'ordering': ['starts_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='PhoneCall',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('rung', models.CharField(help_text='Who was spoken to, or which number was rung.', max_length=80)),
                ('rung_at', models.DateTimeField()),
                ('said', models.CharField(choices=[('yes', 'Yes, we’ll help'), ('no', 'No, we can’t'), ('call-back', 'Ring again later'), ('nobody', 'Nobody answered'), ('started', 'Support has started'), ('finished', 'Support is finished'), ('failed', 'They could not finish')], max_length=10)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('words', models.CharField(blank=True, max_length=300)),
                ('ring_again_on', models.DateField(blank=True, null=True)),
                ('at', models.DateTimeField(help_text='When it was written down.')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(help_text='Whose call it was.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='phone_calls', to='flow.referraltask')),
            ],
            options={
                'ordering': ['rung_at', 'at'],
            },
        ),
        migrations.CreateModel(
            name='ReplyContact',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text='A person or a desk: stands beside every answer.', max_length=80)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, help_text='Of a mobile, in E.164.', max_length=20)),
                ('check_made', models.CharField(choices=[('published', 'Rang the number that they publish'), ('met', 'Met them, or they came to us'), ('letter', 'They wrote on paper or from a known address')], max_length=10)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('refused_at', models.DateTimeField(blank=True, help_text='When a message to it could not be delivered.', null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reply_contacts', to='catalogue.service')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ReleaseCode',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message')], max_length=10)),
                ('code_hash', models.CharField(blank=True, help_text='Empty until the message leaves, and when it was used.', max_length=64)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='release_codes', to='flow.referraltask')),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='release_codes', to='flow.replycontact')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Attendance',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('mark', models.CharField(choices=[('present', 'Came'), ('absent', 'Did not come')], max_length=10)),
                ('reason', models.CharField(blank=True, choices=[('ill', 'Ill or in hospital'), ('transport', 'No transport'), ('not-known', 'Did not know about it'), ('unwell', 'Did not feel up to it'), ('cancelled', 'Cancelled by us'), ('other', 'Another or no reason')], max_length=10)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('booking', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='flow.booking')),
                ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='flow.replycontact')),
            ],
            options={
                'ordering': ['at', 'id'],
            },
        ),
        migrations.AddField(
            model_name='transition',
            name='contact',
            field=models.ForeignKey(blank=True, help_text='Who said it without an account.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.replycontact'),
        ),
        migrations.CreateModel(
            name='TaskLink',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('sent', 'Sent in a message'), ('door', 'Opened by an answer')], max_length=10)),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message')], max_length=10)),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='flow.replycontact')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='flow.referraltask')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='WalkIns',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField()),
                ('number', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='walk_ins', to='catalogue.service')),
            ],
            options={
                'verbose_name_plural': 'walk-ins',
                'ordering': ['at', 'id'],
            },
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(fields=['service', 'starts_at'], name='booked_sessions'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.UniqueConstraint(condition=models.Q(('cancelled_at', None)), fields=('task', 'starts_at'), name='expected_once', violation_error_message='This person is expected then already.'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.UniqueConstraint(condition=models.Q(('cancelled_at', None), ('session', None), models.Q(('worker', ''), _negated=True)), fields=('service', 'worker', 'starts_at'), name='a_worker_meets_one_at_a_time', violation_error_message='That worker has another appointment then.'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='an_appointment_ends_later', violation_error_message='It must end later than it begins.'),
        ),
        migrations.AddConstraint(
            model_name='phonecall',
            constraint=models.CheckConstraint(condition=models.Q(('rung_at__lte', models.F('at'))), name='a_call_was_made', violation_error_message='Write a call down after it was made: its time lies in the future.'),
        ),
        migrations.AddConstraint(
            model_name='phonecall',
            constraint=models.CheckConstraint(condition=models.Q(('rung', ''), _negated=True), name='a_call_has_a_callee', violation_error_message='Say who was rung.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='phonecall',
            trigger=pgtrigger.compiler.Trigger(name='calls_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "task_id", "rung", "rung_at", "said", "words", "at" rows from % table\', TG_TABLE_NAME;', hash='86e9de9f8f4c724c846a5b50dbc1e141c6c9dccf', operation='UPDATE OF "task_id", "rung", "rung_at", "said", "words", "at"', pgid='pgtrigger_calls_stay_f115c', table='flow_phonecall', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='replycontact',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('service',), name='one_reply_contact', violation_error_message='Somebody answers for this service already. Change that instead.'),
        ),
        migrations.AddConstraint(
            model_name='replycontact',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('email', ''), _negated=True), models.Q(('phone', ''), _negated=True), _connector='OR'), name='a_contact_can_be_reached', violation_error_message='Give an e-mail address, a mobile number, or better both.'),
        ),
        migrations.AddIndex(
            model_name='releasecode',
            index=models.Index(fields=['task', 'created_at'], name='codes_of_a_task'),
        ),
        migrations.AddConstraint(
            model_name='attendance',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('mark', 'present'), ('reason', '')), models.Q(('mark', 'absent'), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='an_absence_has_a_reason', violation_error_message='Say why the person did not come.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='attendance',
            trigger=pgtrigger.compiler.Trigger(name='marks_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "booking_id", "mark", "reason", "at" rows from % table\', TG_TABLE_NAME;', hash='2508daad8a0c3748681826a345f10aa3fbb0ad37', operation='UPDATE OF "booking_id", "mark", "reason", "at"', pgid='pgtrigger_marks_stay_17c26', table='flow_attendance', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='tasklink',
            index=models.Index(fields=['task', 'created_at'], name='links_of_a_task'),
        ),
        migrations.AddConstraint(
            model_name='tasklink',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='a_task_link_runs_out', violation_error_message='A link runs out after it was made.'),
        ),
        migrations.AddIndex(
            model_name='walkins',
            index=models.Index(fields=['service', 'starts_at'], name='walk_ins_of_a_session'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='walkins',
            trigger=pgtrigger.compiler.Trigger(name='counts_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='16b62765dcebaa1c4c77ec83e3682339b1327f6d', operation='UPDATE', pgid='pgtrigger_counts_stay_90013', table='flow_walkins', when='BEFORE')),
        ),
    ]
