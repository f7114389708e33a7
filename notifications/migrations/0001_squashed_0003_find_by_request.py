"""All that the migrations up to 0003_find_by_request make, in one step: a new database need not draw the models hundreds of times.

A database at one of those goes on by them: they stay until no site can be at any.
Besides the tables: where in the journal notices begin.
"""

import core.tables
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import uuid
from django.conf import settings
from django.db import migrations, models


#: What happened before there were notices is told to nobody: a site that is brought up to date begins at the journal's newest row.
BEGIN = """
INSERT INTO notifications_journalplace (name, xid, event_id)
SELECT 'notices', coalesce(max(newest.xid), 0), coalesce(max(newest.id), 0)
FROM (SELECT xid::text::bigint AS xid, id FROM core_event AS event ORDER BY event.xid DESC, event.id DESC LIMIT 1) AS newest
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("notifications", "0001_notices"),
        ("notifications", "0002_listed"),
        ("notifications", "0003_find_by_request"),
    ]
    dependencies = [
        ('catalogue', '0029_isolated'),
        ('core', '0004_sealed_audit'),
    ]

    operations = [
        core.tables.CreateModels(
            models=[
                migrations.CreateModel(
                    name='JournalPlace',
                    fields=[
                        ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ('xid', models.BigIntegerField(default=0)),
                        ('event_id', models.BigIntegerField(default=0)),
                    ],
                ),
                migrations.CreateModel(
                    name='Notice',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL)),
                        ('organization', models.ForeignKey(help_text="The person's, then.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization')),
                        ('kind', models.CharField(help_text='A code of notices.kinds.', max_length=30)),
                        ('urgent', models.BooleanField(default=False)),
                        ('event_id', models.BigIntegerField(help_text='The row of the journal; null for what Lune itself has to say.', null=True)),
                        ('data', models.JSONField(default=dict, help_text='Ids and codes, never a fact about a person.')),
                        ('listed', models.BooleanField(db_default=True, default=True, help_text="Stands on the person's list; if not, only messages tell of it.")),
                        ('at', models.DateTimeField()),
                        ('read_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-at', '-pk'],
                        'indexes': [models.Index(condition=models.Q(('listed', True), ('read_at', None)), fields=['user', 'organization'], name='notice_unread'), models.Index(fields=['user', '-at'], name='notice_newest'), models.Index(fields=['at'], name='notice_age'), models.Index(django.db.models.fields.json.KeyTextTransform('task', 'data'), condition=models.Q(('kind', 'referral-new')), name='notice_of_a_request')],
                        'constraints': [models.UniqueConstraint(fields=('user', 'event_id', 'kind'), name='told_once', violation_error_message='This was told to this person already.'), models.CheckConstraint(condition=models.Q(('read_at', None), ('read_at__gte', models.F('at')), _connector='OR'), name='read_after_it_was_told', violation_error_message='A notice is read after it was told.')],
                    },
                ),
                migrations.CreateModel(
                    name='Webhook',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='catalogue.organization')),
                        ('name', models.CharField(max_length=80)),
                        ('url', models.CharField(max_length=500)),
                        ('types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, help_text='Of events; empty: all.', size=None)),
                        ('key_number', models.PositiveIntegerField(default=1)),
                        ('old_key_until', models.DateTimeField(blank=True, help_text='Until then messages bear the signature of the key before too.', null=True)),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('created_at', models.DateTimeField()),
                        ('removed_at', models.DateTimeField(blank=True, null=True)),
                        ('stopped_at', models.DateTimeField(blank=True, null=True)),
                        ('stopped_because', models.CharField(blank=True, max_length=200)),
                        ('failures', models.PositiveIntegerField(default=0, help_text='Since it last answered.')),
                        ('answered_at', models.DateTimeField(blank=True, help_text='When it last took a message.', null=True)),
                    ],
                    options={
                        'ordering': ['created_at', 'pk'],
                        'indexes': [models.Index(condition=models.Q(('removed_at', None), ('stopped_at', None)), fields=['organization'], name='webhook_working')],
                    },
                ),
                migrations.CreateModel(
                    name='Delivery',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('route', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message'), ('webhook', 'Webhook')], max_length=10)),
                        ('state', models.CharField(choices=[('waiting', 'Waiting'), ('trying', 'Being sent'), ('sent', 'Sent'), ('arrived', 'Arrived'), ('failed', 'Failed'), ('given-up', 'Given up'), ('not-needed', 'Not needed any more')], default='waiting', max_length=10)),
                        ('organization', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization')),
                        ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('webhook', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.webhook')),
                        ('event_id', models.BigIntegerField(help_text='Of a webhook: the row of the journal; null for a trial.', null=True)),
                        ('payload', models.JSONField(default=dict, help_text='Of a webhook: type, time and ids.')),
                        ('sent_to', models.CharField(blank=True, max_length=500)),
                        ('due_at', models.DateTimeField()),
                        ('created_at', models.DateTimeField()),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('sent_at', models.DateTimeField(blank=True, null=True)),
                        ('arrived_at', models.DateTimeField(blank=True, help_text='By the receipt of whoever carries it.', null=True)),
                        ('failed_at', models.DateTimeField(blank=True, null=True)),
                        ('failed_because', models.CharField(blank=True, max_length=200)),
                        ('gateway_id', models.CharField(blank=True, db_index=True, max_length=120)),
                        ('settled_by', models.ForeignKey(help_text='Who gave up or tried again.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('notices', models.ManyToManyField(blank=True, related_name='deliveries', to='notifications.notice')),
                    ],
                    options={
                        'verbose_name_plural': 'deliveries',
                        'ordering': ['-created_at', '-pk'],
                        'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'trying'])), fields=['due_at'], name='delivery_under_way'), models.Index(fields=['state', '-created_at'], name='delivery_by_state')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('route', 'webhook'), ('user', None), ('webhook__isnull', False)), models.Q(models.Q(('route', 'webhook'), _negated=True), ('user__isnull', False), ('webhook', None)), _connector='OR'), name='to_a_person_or_a_system', violation_error_message='A message goes to a person or to a system.'), models.UniqueConstraint(condition=models.Q(('attempts', 0), ('state', 'waiting')), fields=('user', 'route', 'due_at'), name='one_message_at_a_time', violation_error_message='What is due at the same time goes in one message.'), models.UniqueConstraint(fields=('webhook', 'event_id'), name='webhook_told_once', violation_error_message='This event was told to this address already.')],
                    },
                ),
                migrations.CreateModel(
                    name='PersonChoices',
                    fields=[
                        ('choices', models.JSONField(default=dict)),
                        ('quiet_from', models.TimeField(blank=True, help_text='By the clock of England; the same as until: no quiet hours.', null=True)),
                        ('quiet_until', models.TimeField(blank=True, null=True)),
                        ('urgent_passes', models.BooleanField(default=False, help_text='What is urgent comes in quiet hours too.')),
                        ('daily_hour', models.PositiveSmallIntegerField(default=8)),
                        ('changed_at', models.DateTimeField(blank=True, help_text='Null: nothing was chosen yet, so what is above does not count.', null=True)),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notice_choices', serialize=False, to=settings.AUTH_USER_MODEL)),
                        ('whole_organization', models.BooleanField(default=False, help_text="Told of everybody's referrals, not only of those that they sent.")),
                        ('mobile', models.CharField(blank=True, help_text='E.164. Used once a code that went there was typed in.', max_length=20)),
                        ('mobile_confirmed_at', models.DateTimeField(blank=True, null=True)),
                        ('code_hash', models.CharField(blank=True, max_length=64)),
                        ('code_sent_at', models.DateTimeField(blank=True, null=True)),
                        ('code_tries', models.PositiveSmallIntegerField(default=0)),
                        ('codes_sent', models.PositiveSmallIntegerField(default=0, help_text='Since a number was last confirmed.')),
                        ('email_stopped_at', models.DateTimeField(blank=True, null=True)),
                        ('email_stopped_because', models.CharField(blank=True, help_text='asked or bounced', max_length=20)),
                        ('sms_stopped_at', models.DateTimeField(blank=True, null=True)),
                        ('sms_stopped_because', models.CharField(blank=True, help_text='asked or bounced', max_length=20)),
                    ],
                    options={
                        'abstract': False,
                        'indexes': [models.Index(condition=models.Q(('mobile', ''), _negated=True), fields=['mobile'], name='notice_mobile')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('daily_hour__lt', 24)), name='personchoices_hour_of_the_day', violation_error_message='Choose an hour from 0 to 23.'), models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='personchoices_quiet_from_and_until', violation_error_message='Say from when and until when it is quiet.')],
                    },
                ),
                migrations.CreateModel(
                    name='OrganizationChoices',
                    fields=[
                        ('choices', models.JSONField(default=dict)),
                        ('quiet_from', models.TimeField(blank=True, help_text='By the clock of England; the same as until: no quiet hours.', null=True)),
                        ('quiet_until', models.TimeField(blank=True, null=True)),
                        ('urgent_passes', models.BooleanField(default=False, help_text='What is urgent comes in quiet hours too.')),
                        ('daily_hour', models.PositiveSmallIntegerField(default=8)),
                        ('changed_at', models.DateTimeField(blank=True, help_text='Null: nothing was chosen yet, so what is above does not count.', null=True)),
                        ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notice_choices', serialize=False, to='catalogue.organization')),
                        ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'abstract': False,
                        'constraints': [models.CheckConstraint(condition=models.Q(('daily_hour__lt', 24)), name='organizationchoices_hour_of_the_day', violation_error_message='Choose an hour from 0 to 23.'), models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='organizationchoices_quiet_from_and_until', violation_error_message='Say from when and until when it is quiet.')],
                    },
                ),
            ],
        ),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
    ]
