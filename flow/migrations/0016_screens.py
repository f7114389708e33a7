"""The worklist's saved views, bulk actions, letters, where referrals come from, and launches from a record system."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalogue', '0029_isolated'),
        ('flow', '0015_casework'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('action', models.CharField(choices=[('withdraw', 'Withdraw requests'), ('delay', 'Say what they wait for'), ('expected', 'Set the expected date'), ('assign', 'Give to a team or colleague'), ('follow-up', 'Mark for a follow-up'), ('start', 'Support has started'), ('complete', 'Support is finished')], max_length=12)),
                ('asked', models.JSONField(default=dict, help_text='What was chosen: a date, a code, a reason.')),
                ('lines', models.JSONField(default=list)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='FirstView',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='first_view', serialize=False, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Launch',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('jti', models.CharField(help_text='What the record system calls it: the same one is not taken twice.', max_length=120)),
                ('token_digest', models.CharField(max_length=64, unique=True)),
                ('told', models.JSONField(default=dict, help_text='Who it is. Emptied when it was used.')),
                ('practitioner', models.CharField(blank=True, max_length=254)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='LaunchKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text='Which system has it.', max_length=80)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('language', models.CharField(default='en', max_length=10)),
                ('is_large', models.BooleanField(default=False)),
                ('call', models.CharField(help_text='Whom the person may call: a name and a number.', max_length=120)),
                ('body', models.JSONField(help_text='Sections: a heading and its lines.')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='ReferralOrigin',
            fields=[
                ('referral', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='origin', serialize=False, to='flow.referral')),
                ('channel', models.CharField(choices=[('paper', 'On paper'), ('email', 'By e-mail'), ('phone', 'By phone'), ('in-person', 'In person'), ('record', 'From a patient record system')], max_length=12)),
                ('sector', models.CharField(choices=[('practice', 'A GP practice'), ('ward', 'A hospital ward: discharge'), ('emergency', 'An emergency department'), ('ambulance', 'The ambulance service'), ('mental-health', 'A mental health team'), ('community', 'A community health team'), ('social-care', 'A council or social care'), ('voluntary', 'A charity or advice service'), ('faith', 'A faith group'), ('housing', 'A housing association'), ('person', 'The person, or their family'), ('other', 'Somebody else')], max_length=16)),
                ('sender', models.CharField(blank=True, help_text='Who sent it: a person or organisation.', max_length=120)),
                ('received_on', models.DateField(help_text='The day on which it arrived. The person has waited since.')),
            ],
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('filters', models.CharField(blank=True, help_text='As they stand in the address of the list.', max_length=600)),
                ('is_shared', models.BooleanField(default=False, help_text='Colleagues of the organisation see it too.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='batch',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='batch',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='launch',
            name='opened_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='launch',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='launch',
            name='patient',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='launchkey',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='launch',
            name='key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='flow.launchkey'),
        ),
        migrations.AddField(
            model_name='letter',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='letter',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='letter',
            name='patient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='flow.patient'),
        ),
        migrations.AddField(
            model_name='letter',
            name='referral',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='flow.referral'),
        ),
        migrations.AddField(
            model_name='savedview',
            name='organization',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='savedview',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='firstview',
            name='view',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='flow.savedview'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['user', '-at'], name='batch_of_user'),
        ),
        migrations.AddConstraint(
            model_name='launchkey',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='launch_key_lasts', violation_error_message='A key must end after it begins. Choose a later day.'),
        ),
        migrations.AddConstraint(
            model_name='launch',
            constraint=models.UniqueConstraint(fields=('key', 'jti'), name='launch_comes_once', violation_error_message='This launch has been used. Open it again.'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('owner', 'organization', 'name'), name='one_view_of_a_name', violation_error_message='You already have a view with this name. Choose another name, or delete that one first.'),
        ),
    ]
