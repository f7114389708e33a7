"""Messages to people about their own appointments, and sessions that are called off as a whole."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('capacity', '0013_limits'),
        ('catalogue', '0029_isolated'),
        ('flow', '0026_glass_reviewed_by_another'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='followup',
            name='kind',
            field=models.CharField(choices=[('person', 'Somebody asked for it'), ('accepted', 'A service said yes'), ('missed', 'Sessions were missed'), ('message', 'What a person answered, or a message that did not reach them')], default='person', max_length=10),
        ),
        migrations.CreateModel(
            name='SessionCancellation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField()),
                ('reason', models.CharField(help_text='For the teams that referred; the people themselves are not told it.', max_length=200)),
                ('closed_version', models.PositiveIntegerField(blank=True, help_text='Of the session’s places, when this closed them.', null=True)),
                ('at', models.DateTimeField()),
                ('tell_at', models.DateTimeField()),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('instead', models.ForeignKey(blank=True, help_text='Offered instead.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='capacity.servicecapacity')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalogue.service')),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['at'],
            },
        ),
        migrations.CreateModel(
            name='PersonMessage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('accepted', 'A service said yes'), ('booked', 'A time is booked'), ('reminder', 'Reminder'), ('called-off', 'The time is cancelled')], max_length=10)),
                ('starts_at', models.DateTimeField(blank=True, help_text='Of the session or appointment that it is about.', null=True)),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'Text message')], max_length=10)),
                ('sent_to', models.CharField(max_length=254)),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('arrived', 'Arrived'), ('failed', 'Did not arrive'), ('not-needed', 'Not needed any more')], default='waiting', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('arrived_at', models.DateTimeField(blank=True, null=True)),
                ('failed_because', models.CharField(blank=True, max_length=200)),
                ('gateway_id', models.CharField(blank=True, db_index=True, max_length=120)),
                ('answer', models.CharField(blank=True, choices=[('', 'No answer'), ('coming', 'They say they will come'), ('cannot', 'They say they cannot come'), ('other-time', 'They ask for another time')], default='', max_length=10)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('stopped_at', models.DateTimeField(blank=True, help_text='When whoever has this address wanted no more messages.', null=True)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages_sent', to='flow.patient')),
                ('related', models.ForeignKey(blank=True, help_text='Who is told in their place.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='flow.relatedperson')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages_to_person', to='flow.referraltask')),
                ('cancellation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='messages', to='flow.sessioncancellation')),
            ],
            options={
                'ordering': ['created_at', 'id'],
            },
        ),
        migrations.AddConstraint(
            model_name='sessioncancellation',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('service', 'starts_at'), name='called_off_once', violation_error_message='This session is cancelled already.'),
        ),
        migrations.AddConstraint(
            model_name='sessioncancellation',
            constraint=models.CheckConstraint(condition=models.Q(('undone_at', None), ('told_at', None), _connector='OR'), name='what_was_told_stays', violation_error_message='People have been told already, so this cannot be undone.'),
        ),
        migrations.AddConstraint(
            model_name='sessioncancellation',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='called_off_for_a_reason', violation_error_message='Say why the session does not take place.'),
        ),
        migrations.AddIndex(
            model_name='personmessage',
            index=models.Index(fields=['task', 'starts_at'], name='messages_of_a_time'),
        ),
        migrations.AddIndex(
            model_name='personmessage',
            index=models.Index(fields=['sent_to', '-created_at'], name='messages_to_an_address'),
        ),
        migrations.AddConstraint(
            model_name='personmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'reminder')), fields=('task', 'starts_at'), name='reminded_once', violation_error_message='They were reminded of this already.'),
        ),
        migrations.AddConstraint(
            model_name='personmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at', None)), models.Q(models.Q(('answer', ''), _negated=True), ('answered_at__gte', models.F('created_at'))), _connector='OR'), name='answered_after_it_was_written', violation_error_message='An answer comes after the message.'),
        ),
    ]
