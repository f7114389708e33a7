"""All that the migrations up to 0013_limits make, in one step: a new database need not draw the models hundreds of times.

A database at one of those goes on by them: they stay until no site can be at any.
Besides the tables: how long a figure of each kind is fresh.
"""

import capacity.models.asking
import core.tables
import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.utils.timezone
import pgtrigger.compiler
import uuid
from django.conf import settings
from capacity import reference
from django.db import migrations, models


def load(apps, schema_editor):
    reference.load(apps)


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("capacity", "0001_initial"),
        ("capacity", "0002_initial"),
        ("capacity", "0003_freshness"),
        ("capacity", "0004_late_reports"),
        ("capacity", "0005_shown_to_public"),
        ("capacity", "0006_freshness_of_more"),
        ("capacity", "0007_places_of_every_kind"),
        ("capacity", "0008_sessions"),
        ("capacity", "0009_limits_of_holds"),
        ("capacity", "0010_keys_of_systems"),
        ("capacity", "0011_confirmed_addresses"),
        ("capacity", "0012_bundled_asks_and_boards"),
        ("capacity", "0013_limits"),
    ]
    dependencies = [
        ('catalogue', '0028_who_keeps_keys'),
    ]

    operations = [
        core.tables.CreateModels(
            models=[
                migrations.CreateModel(
                    name='AskingPreference',
                    fields=[
                        ('service', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='asking', serialize=False, to='catalogue.service')),
                        ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message')], max_length=10)),
                        ('address', models.CharField(help_text='E-mail address, or telephone number in E.164.', max_length=254)),
                        ('days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), default=capacity.models.asking.weekdays, help_text='0 is Monday.', size=None)),
                        ('from_time', models.TimeField(default=datetime.time(9, 0))),
                        ('until_time', models.TimeField(default=datetime.time(17, 0))),
                        ('when_stale', models.BooleanField(default=True, help_text='Ask shortly before a figure gets old.')),
                        ('on_demand', models.BooleanField(default=True, help_text='Ask when people near wait for what it offers.')),
                        ('confirmed_at', models.DateTimeField(blank=True, help_text='A code that went to this address was typed in. Not used before.', null=True)),
                        ('code_hash', models.CharField(blank=True, db_default='', default='', max_length=64)),
                        ('code_sent_at', models.DateTimeField(blank=True, null=True)),
                        ('code_tries', models.PositiveSmallIntegerField(db_default=0, default=0)),
                        ('codes_sent', models.PositiveSmallIntegerField(db_default=0, default=0, help_text='Since an address was last confirmed.')),
                        ('stopped_at', models.DateTimeField(blank=True, help_text='They said stop.', null=True)),
                        ('changed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('changed_at', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(('until_time__gt', models.F('from_time'))), name='hours_end_after_they_begin', violation_error_message='The hours in which we may ask must end later than they begin.'), models.CheckConstraint(condition=models.Q(('days__len__gt', 0)), name='asked_on_some_day', violation_error_message='Choose at least one day, or stop the messages.')],
                    },
                ),
                migrations.CreateModel(
                    name='UpdateLink',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='update_links', to='catalogue.service')),
                        ('token_hash', models.CharField(max_length=64, unique=True)),
                        ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message')], max_length=10)),
                        ('sent_to', models.CharField(max_length=254)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('used_at', models.DateTimeField(blank=True, null=True)),
                        ('revoked_at', models.DateTimeField(blank=True, null=True)),
                        ('told', models.JSONField(blank=True, default=dict, help_text='By pool: the version that this link made, and the figures before, so that it can be undone.')),
                        ('also', models.ManyToManyField(blank=True, help_text='Other services of the organisation that it is for.', related_name='+', to='catalogue.service')),
                    ],
                    options={
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='Ask',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='asks', to='catalogue.service')),
                        ('with_ask', models.ForeignKey(blank=True, help_text='The one in whose message this service is asked about too.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='others', to='capacity.ask')),
                        ('link', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='ask', to='capacity.updatelink')),
                        ('why', models.CharField(choices=[('stale', 'The figure was about to get old'), ('demand', 'People were waiting for such places'), ('again', 'The reply was not understood'), ('request', 'Somebody pressed a button')], max_length=10)),
                        ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message')], max_length=10)),
                        ('sent_to', models.CharField(max_length=254)),
                        ('waiting_near', models.PositiveIntegerField(blank=True, help_text='How many waited near by for such places; null: not told.', null=True)),
                        ('created_at', models.DateTimeField()),
                        ('sent_at', models.DateTimeField(blank=True, null=True)),
                        ('answered_at', models.DateTimeField(blank=True, null=True)),
                        ('failed_at', models.DateTimeField(blank=True, null=True)),
                        ('failed_because', models.CharField(blank=True, max_length=200)),
                        ('gateway_id', models.CharField(blank=True, help_text='What the gateway calls this message.', max_length=120)),
                    ],
                    options={
                        'ordering': ['-created_at'],
                        'indexes': [models.Index(fields=['sent_to', '-created_at'], name='ask_by_address')],
                    },
                ),
                migrations.CreateModel(
                    name='Reply',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message')], max_length=10)),
                        ('gateway_id', models.CharField(help_text='What the gateway calls this message: the same one twice is one.', max_length=200)),
                        ('sender', models.CharField(max_length=254)),
                        ('words', models.TextField(blank=True, max_length=2000)),
                        ('received_at', models.DateTimeField()),
                        ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replies', to='catalogue.service')),
                        ('ask', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replies', to='capacity.ask')),
                        ('understood', models.JSONField(default=dict, help_text='Pool id to the figures that were read.')),
                        ('outcome', models.CharField(choices=[('applied', 'Understood and kept'), ('asked-again', 'Not understood: asked again'), ('stopped', 'They want no more messages'), ('stranger', 'The sender is not known')], max_length=20)),
                        ('answer', models.TextField(blank=True, help_text='What we wrote back.', max_length=1000)),
                    ],
                    options={
                        'verbose_name_plural': 'replies',
                        'ordering': ['-received_at'],
                        'constraints': [models.UniqueConstraint(fields=('channel', 'gateway_id'), name='one_reply_per_message')],
                    },
                ),
                migrations.CreateModel(
                    name='FreshnessPolicy',
                    fields=[
                        ('care_type', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='freshness', serialize=False, to='catalogue.taxonomyterm')),
                        ('fresh_for', models.DurationField()),
                        ('expires_after', models.DurationField()),
                        ('hold_for', models.DurationField(default=datetime.timedelta(seconds=14400), help_text='How long a place is kept while a family decides.')),
                        ('hold_extension', models.DurationField(default=datetime.timedelta(seconds=14400), help_text='How much longer, once, when they ask; zero: not at all.')),
                        ('holds_per_person', models.PositiveSmallIntegerField(db_default=2, default=2, help_text='At how many places at most a team keeps one for the same person.')),
                        ('holds_per_team', models.PositiveSmallIntegerField(db_default=5, default=5, help_text='How many places of the same pool one team keeps at most, so that none are hoarded.')),
                    ],
                    options={
                        'verbose_name_plural': 'freshness policies',
                        'constraints': [models.CheckConstraint(condition=models.Q(('expires_after__gt', models.F('fresh_for'))), name='expires_after_fresh', violation_error_message='A figure must stop being believed later than it stops being fresh.'), models.CheckConstraint(condition=models.Q(('hold_extension__gte', datetime.timedelta(0)), ('hold_for__gt', datetime.timedelta(0))), name='hold_lasts', violation_error_message='A hold lasts for some time, and an extension does not shorten it.'), models.CheckConstraint(condition=models.Q(('holds_per_person__gte', 1), ('holds_per_team__gte', 1)), name='some_holds_allowed', violation_error_message='Allow at least one hold for a person, and one for a team.')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceCapacity',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='capacities', to='catalogue.service')),
                        ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='capacities', to='catalogue.location')),
                        ('care_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.taxonomyterm')),
                        ('name', models.CharField(help_text='What people call it: "Dementia nursing beds".', max_length=120)),
                        ('unit', models.CharField(default='place', help_text='bed, place, visit, hour, session …', max_length=40)),
                        ('maximum', models.PositiveIntegerField(blank=True, null=True)),
                        ('available', models.PositiveIntegerField(blank=True, null=True)),
                        ('held', models.PositiveIntegerField(default=0)),
                        ('occupied', models.PositiveIntegerField(blank=True, null=True)),
                        ('reserved', models.PositiveIntegerField(blank=True, help_text='Vacant, and kept by the provider for somebody of its own.', null=True)),
                        ('waiting', models.PositiveIntegerField(blank=True, help_text='How many are on the waiting list.', null=True)),
                        ('expected_wait_days', models.PositiveIntegerField(blank=True, help_text='How long a newcomer would wait.', null=True)),
                        ('status', models.CharField(choices=[('capacity', 'Accepting people'), ('no-capacity', 'Not accepting'), ('waitlist', 'Waiting list'), ('additional-assessment-required', 'Assessment first')], default='capacity', max_length=40)),
                        ('bed_type', models.CharField(blank=True, choices=[('general-residential', 'General residential'), ('general-nursing', 'General nursing'), ('dementia-residential', 'Dementia residential'), ('dementia-nursing', 'Dementia nursing'), ('learning-disability-residential', 'Learning disability residential'), ('learning-disability-nursing', 'Learning disability nursing'), ('mental-health-residential', 'Mental health residential'), ('mental-health-nursing', 'Mental health nursing'), ('transitional', 'Transitional'), ('young-physically-disabled', 'Young physically disabled')], db_default='', default='', max_length=40)),
                        ('for_sex', models.CharField(blank=True, choices=[('', 'Anybody'), ('female', 'Women only'), ('male', 'Men only')], db_default='', default='', help_text='Where the law allows it: a single-sex room or ward.', max_length=10)),
                        ('per', models.CharField(blank=True, choices=[('', 'at any time'), ('day', 'a day'), ('week', 'a week'), ('session', 'a session')], db_default='', default='', max_length=10)),
                        ('schedule', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalogue.schedule')),
                        ('session_of', models.ForeignKey(blank=True, help_text='The places a session that it was made from.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to='capacity.servicecapacity')),
                        ('starts_at', models.DateTimeField(blank=True, help_text='Of a session: these places are for that time alone.', null=True)),
                        ('ends_at', models.DateTimeField(blank=True, null=True)),
                        ('note', models.CharField(blank=True, help_text='Conditions, shown to referrers; never about a person.', max_length=200)),
                        ('is_open', models.BooleanField(default=True, help_text='False: closed or not in use; never offered.')),
                        ('closed_reason', models.CharField(blank=True, db_default='', default='', help_text='Shown to referrers; never about a person.', max_length=200)),
                        ('closed_until', models.DateField(blank=True, help_text='When it is expected to open again; never opened by the clock alone.', null=True)),
                        ('shown_to_public', models.BooleanField(db_default=True, default=True, help_text='False: only professionals see how many places are free.')),
                        ('reported_at', models.DateTimeField(blank=True, help_text='When somebody last looked and said.', null=True)),
                        ('reported_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reported_via', models.CharField(blank=True, choices=[('web', 'on Lune'), ('api', 'by computer link'), ('fhir', 'by FHIR'), ('link', 'by signed link'), ('sms', 'by text message'), ('email', 'by e-mail'), ('import', 'by file'), ('referral', 'by an answer to a referral'), ('simulator', 'by the demonstration'), ('system', 'by the clock')], max_length=20)),
                        ('version', models.PositiveIntegerField(default=1)),
                    ],
                    options={
                        'verbose_name_plural': 'service capacities',
                        'ordering': ['service', 'name'],
                        'constraints': [models.UniqueConstraint(fields=('service', 'location', 'name', 'starts_at'), name='pool_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('available__isnull', True), ('held', 0)), ('held__lte', models.F('available')), _connector='OR'), name='held_within_available', violation_error_message='More places are held than there are. Release a hold first.'), models.CheckConstraint(condition=models.Q(('available__isnull', True), ('maximum__isnull', True), ('available__lte', models.F('maximum')), _connector='OR'), name='available_within_maximum', violation_error_message='More places cannot be free than there are in all.'), models.CheckConstraint(condition=models.Q(('maximum__isnull', True), ('maximum__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.functions.comparison.Coalesce(models.F('occupied'), 0), '+', django.db.models.functions.comparison.Coalesce(models.F('reserved'), 0)), '+', django.db.models.functions.comparison.Coalesce(models.F('available'), 0))), _connector='OR'), name='sum_within_maximum', violation_error_message='Taken, reserved and free places together are more than there are in all.'), models.CheckConstraint(condition=models.Q(models.Q(('ends_at__isnull', True), ('starts_at__isnull', True)), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='session_ends_after_it_starts', violation_error_message='A session ends after it begins.'), models.CheckConstraint(condition=models.Q(('is_open', False), models.Q(('closed_reason', ''), ('closed_until__isnull', True)), _connector='OR'), name='only_the_closed_have_a_reason', violation_error_message='Open places need no reason for being closed.'), models.CheckConstraint(condition=models.Q(('available__isnull', True), ('reported_at__isnull', False), _connector='OR'), name='a_figure_has_a_time', violation_error_message='A figure needs the time when it was seen.')],
                    },
                ),
                migrations.CreateModel(
                    name='PoolDay',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('pool', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='days', to='capacity.servicecapacity')),
                        ('day', models.DateField()),
                        ('maximum', models.PositiveIntegerField(null=True)),
                        ('available', models.PositiveIntegerField(help_text='At the end of the day; null: not known.', null=True)),
                        ('held', models.PositiveIntegerField(default=0)),
                        ('occupied', models.PositiveIntegerField(null=True)),
                        ('least_free', models.PositiveIntegerField(null=True)),
                        ('most_free', models.PositiveIntegerField(null=True)),
                        ('free_hours', models.DecimalField(decimal_places=2, help_text='With a place known to be free.', max_digits=4)),
                        ('known_hours', models.DecimalField(decimal_places=2, help_text='In which the figure was young enough to be believed.', max_digits=4)),
                        ('reports', models.PositiveIntegerField(default=0, help_text='Told by the provider.')),
                        ('filled', models.PositiveIntegerField(default=0)),
                        ('reopened', models.PositiveIntegerField(default=0)),
                        ('holds', models.PositiveIntegerField(default=0)),
                        ('expired', models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        'ordering': ['pool', 'day'],
                        'indexes': [models.Index(fields=['day'], name='pool_day_day')],
                        'constraints': [models.UniqueConstraint(fields=('pool', 'day'), name='one_line_per_day')],
                    },
                ),
                migrations.CreateModel(
                    name='PoolForecast',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('pool', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='forecasts', to='capacity.servicecapacity')),
                        ('made_on', models.DateField()),
                        ('days', models.PositiveIntegerField(help_text='Days of history that it rests on.')),
                        ('method', models.CharField(blank=True, help_text='Name and version of the method; empty: too little history.', max_length=40)),
                        ('chances', models.JSONField(default=list, help_text='[{days, chance, low, high}] for 1, 3, 7 and 14 days; shares of one.')),
                        ('wait_days', models.DecimalField(decimal_places=1, help_text='Median wait for a place.', max_digits=6, null=True)),
                        ('wait_low', models.DecimalField(decimal_places=1, max_digits=6, null=True)),
                        ('wait_high', models.DecimalField(decimal_places=1, max_digits=6, null=True)),
                    ],
                    options={
                        'ordering': ['pool', '-made_on'],
                        'constraints': [models.UniqueConstraint(fields=('pool', 'made_on'), name='one_forecast_per_day')],
                    },
                ),
                migrations.CreateModel(
                    name='ForecastSkill',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('made_on', models.DateField()),
                        ('group', models.CharField(blank=True, help_text='Group of care types; empty: all.', max_length=80)),
                        ('horizon', models.PositiveSmallIntegerField(help_text='Days ahead.')),
                        ('method', models.CharField(max_length=40)),
                        ('count', models.PositiveIntegerField(help_text='Forecasts that were held against what came.')),
                        ('brier', models.FloatField(help_text='Mean squared error of the chances: 0 is perfect.')),
                        ('brier_last', models.FloatField(help_text='Of “as it was last”.')),
                        ('brier_weekday', models.FloatField(help_text='Of “as on the same weekday”.')),
                        ('calibration', models.JSONField(default=list, help_text='[{said, came, count}]: of those told a chance, how many had a place.')),
                    ],
                    options={
                        'ordering': ['-made_on', 'group', 'horizon'],
                        'constraints': [models.UniqueConstraint(fields=('made_on', 'group', 'horizon'), name='one_skill_per_day'), models.CheckConstraint(condition=models.Q(('count__gt', 0)), name='skill_is_measured')],
                    },
                ),
                migrations.CreateModel(
                    name='SystemKey',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='system_keys', to='catalogue.organization')),
                        ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='system_key', to=settings.AUTH_USER_MODEL)),
                        ('name', models.CharField(help_text='Which system: “Care records at Fir Grove”.', max_length=80)),
                        ('begins_with', models.CharField(help_text='So that people can tell one from another.', max_length=8)),
                        ('created_at', models.DateTimeField()),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('expires_at', models.DateTimeField()),
                        ('last_used_at', models.DateTimeField(blank=True, null=True)),
                        ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='BoardKey',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='board_keys', to='catalogue.organization')),
                        ('name', models.CharField(help_text='Which screen: “Discharge lounge”.', max_length=80)),
                        ('token_hash', models.CharField(max_length=64, unique=True)),
                        ('created_at', models.DateTimeField()),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('last_used_at', models.DateTimeField(blank=True, null=True)),
                        ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='AdmissionLimit',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='admission_limits', to='catalogue.service')),
                        ('pool', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='admission_limit', to='capacity.servicecapacity')),
                        ('a_day', models.PositiveSmallIntegerField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('pool__isnull', True)), fields=('service',), name='one_limit_of_a_service', violation_error_message='This service already says how many newcomers it takes a day.'), models.CheckConstraint(condition=models.Q(('a_day__gte', 1)), name='a_limit_lets_somebody_in', violation_error_message='Allow at least one newcomer a day. To take nobody, say that the places are closed for now.')],
                    },
                ),
                migrations.CreateModel(
                    name='SharedRoom',
                    fields=[
                        ('pool', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='shared_room', serialize=False, to='capacity.servicecapacity')),
                        ('sex', models.CharField(blank=True, choices=[('', 'Nobody'), ('female', 'Women'), ('male', 'Men')], default='', max_length=10)),
                        ('infection', models.CharField(blank=True, choices=[('', 'None known'), ('covid-19', 'COVID-19'), ('flu', 'Flu'), ('norovirus', 'Norovirus (sickness and diarrhoea)'), ('c-difficile', 'C. difficile'), ('mrsa', 'MRSA'), ('other', 'Another one: a room of their own')], default='', max_length=20)),
                    ],
                    options={
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('sex', ''), _negated=True), ('infection', ''), _connector='OR'), name='an_empty_room_has_no_infection', violation_error_message='Say whether women or men are in the room, as somebody in it has an infection.')],
                    },
                ),
                migrations.CreateModel(
                    name='CapacityReport',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('pool', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='capacity.servicecapacity')),
                        ('kind', models.CharField(choices=[('report', 'Told by the provider'), ('hold', 'Place held'), ('release', 'Hold given back'), ('expire', 'Hold ran out'), ('fill', 'Place taken'), ('reopen', 'Place given back'), ('withdraw', 'Hold taken back by the provider'), ('late', 'Told late: kept, not shown')], max_length=10)),
                        ('available', models.PositiveIntegerField(null=True)),
                        ('held', models.PositiveIntegerField(default=0)),
                        ('maximum', models.PositiveIntegerField(null=True)),
                        ('occupied', models.PositiveIntegerField(null=True)),
                        ('reserved', models.PositiveIntegerField(null=True)),
                        ('waiting', models.PositiveIntegerField(null=True)),
                        ('expected_wait_days', models.PositiveIntegerField(null=True)),
                        ('status', models.CharField(choices=[('capacity', 'Accepting people'), ('no-capacity', 'Not accepting'), ('waitlist', 'Waiting list'), ('additional-assessment-required', 'Assessment first')], max_length=40)),
                        ('is_open', models.BooleanField(db_default=True, default=True)),
                        ('closed_reason', models.CharField(blank=True, db_default='', default='', max_length=200)),
                        ('closed_until', models.DateField(null=True)),
                        ('note', models.CharField(blank=True, max_length=200)),
                        ('version', models.PositiveIntegerField()),
                        ('observed_at', models.DateTimeField()),
                        ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('via', models.CharField(choices=[('web', 'on Lune'), ('api', 'by computer link'), ('fhir', 'by FHIR'), ('link', 'by signed link'), ('sms', 'by text message'), ('email', 'by e-mail'), ('import', 'by file'), ('referral', 'by an answer to a referral'), ('simulator', 'by the demonstration'), ('system', 'by the clock')], max_length=20)),
                        ('key', models.CharField(blank=True, db_default='', default='', help_text='Of an update that may arrive twice.', max_length=64)),
                    ],
                    options={
                        'ordering': ['pool', 'version'],
                        'constraints': [models.UniqueConstraint(fields=('pool', 'version'), name='one_report_per_version'), models.UniqueConstraint(condition=models.Q(('key', ''), _negated=True), fields=('pool', 'key'), name='one_report_per_key')],
                        'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='cb6e8ba83f8bb18a0d7b0d689bbf0631c5e80752', operation='UPDATE', pgid='pgtrigger_append_only_901db', table='capacity_capacityreport', when='BEFORE'))],
                    },
                ),
                migrations.CreateModel(
                    name='Reservation',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('pool', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reservations', to='capacity.servicecapacity')),
                        ('organization', models.ForeignKey(help_text='Who holds it.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization')),
                        ('state', models.CharField(choices=[('held', 'Held'), ('filled', 'Taken'), ('released', 'Given back'), ('expired', 'Ran out'), ('withdrawn', 'Taken back by the provider')], default='held', max_length=10)),
                        ('created_at', models.DateTimeField()),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('expires_at', models.DateTimeField()),
                        ('extended_at', models.DateTimeField(blank=True, help_text='A hold is made longer once.', null=True)),
                        ('ended_because', models.CharField(blank=True, db_default='', default='', help_text='What the provider said; never about a person.', max_length=200)),
                        ('ended_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('state', 'held')), fields=['expires_at'], name='reservation_due')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'held')), models.Q(models.Q(('state', 'held'), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='reservation_ends_once', violation_error_message='A hold has an end exactly when it is no longer held.')],
                    },
                ),
            ],
        ),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
