"""Services asked in order, several that are wanted, and the rules that move a referral on."""

import django.db.models.constraints
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
        ('flow', '0018_teams_hubs_pathways_sharing'),
        ('matching', '0015_values_for_old_processes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ProcessRule',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('live_since', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='QueuedAsk',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveSmallIntegerField()),
                ('hold', models.BooleanField(default=False, help_text='Keep a place there when it is asked.')),
                ('state', models.CharField(choices=[('waiting', 'Not asked yet'), ('asked', 'Asked'), ('passed', 'Passed over'), ('dropped', 'Not needed')], default='waiting', max_length=10)),
                ('because', models.CharField(blank=True, help_text='Why it was passed over or taken off the list.', max_length=300)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['referral', 'position'],
            },
        ),
        migrations.CreateModel(
            name='RuleDeed',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=80)),
                ('outcome', models.CharField(choices=[('done', 'Done'), ('refused', 'Not possible')], max_length=10)),
                ('words', models.CharField(max_length=500)),
                ('facts', models.JSONField(default=dict, help_text='What the rule saw: ids, codes and times.')),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='RuleSwitch',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'rule switches',
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='RuleVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('trigger', models.CharField(choices=[('sent', 'A service has been asked'), ('overdue', 'A service has not answered in time'), ('declined', 'A service has said no'), ('no-capacity', 'A service that was asked has no place left'), ('nobody-left', 'Nobody is left to ask'), ('not-started', 'Support has not begun in time')], max_length=20)),
                ('after_minutes', models.PositiveIntegerField(default=0, help_text='How long after the trigger.')),
                ('conditions', models.JSONField(default=dict, help_text='Codes that must fit, by what they are of. None: any.')),
                ('action', models.CharField(choices=[('remind', 'Remind whose move it is'), ('withdraw', 'Withdraw the request'), ('offer-next', 'Ask the next service of the list'), ('route', 'Send it to a hub'), ('escalate', 'Tell the team and its manager'), ('follow-up', 'Make a follow-up task')], max_length=20)),
                ('parameters', models.JSONField(default=dict)),
                ('reason', models.CharField(help_text='Why the rule says this.', max_length=300)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['rule', '-number'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='referraltask',
            name='one_acceptance',
        ),
        migrations.AddField(
            model_name='referral',
            name='answer_within',
            field=models.PositiveIntegerField(blank=True, help_text='Minutes to answer, where the sender set them.', null=True),
        ),
        migrations.AddField(
            model_name='referral',
            name='closed_at',
            field=models.DateTimeField(blank=True, help_text='The sender needs nothing more of it.', null=True),
        ),
        migrations.AddField(
            model_name='referral',
            name='closed_because',
            field=models.CharField(blank=True, db_default='', default='', max_length=300),
        ),
        migrations.AddField(
            model_name='referral',
            name='in_order',
            field=models.BooleanField(db_default=False, default=False, help_text='One after the other; see `QueuedAsk`.'),
        ),
        migrations.AddField(
            model_name='referral',
            name='keep_asked',
            field=models.BooleanField(db_default=False, default=False, help_text='In order: who misses the deadline stays asked while the next is asked too.'),
        ),
        migrations.AddField(
            model_name='referral',
            name='package_wanted',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Of what was sent together, how many parts are enough. Empty: all.', null=True),
        ),
        migrations.AddField(
            model_name='referral',
            name='wanted',
            field=models.PositiveSmallIntegerField(db_default=1, default=1, help_text='How many of the services asked are to say yes.'),
        ),
        migrations.AddField(
            model_name='referraltask',
            name='checked',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='Rules and figures of the place as it was asked: codes, no words.'),
        ),
        migrations.AddField(
            model_name='referraltask',
            name='late',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How far it was told that the deadline has passed; see `flow.lateness`.'),
        ),
        migrations.AddField(
            model_name='referraltask',
            name='start_by',
            field=models.DateTimeField(blank=True, help_text='Until when support is expected to begin, once accepted.', null=True),
        ),
        migrations.AddIndex(
            model_name='referraltask',
            index=models.Index(condition=models.Q(('status', 'requested')), fields=['respond_by'], name='task_answer_due'),
        ),
        migrations.AddIndex(
            model_name='referraltask',
            index=models.Index(condition=models.Q(('status', 'accepted')), fields=['start_by'], name='task_start_due'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referral',
            trigger=pgtrigger.compiler.Trigger(name='as_it_was_sent', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."wanted" IS DISTINCT FROM (NEW."wanted") OR OLD."package" IS DISTINCT FROM (NEW."package") OR OLD."package_wanted" IS DISTINCT FROM (NEW."package_wanted") OR OLD."in_order" IS DISTINCT FROM (NEW."in_order") OR OLD."keep_asked" IS DISTINCT FROM (NEW."keep_asked"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3ee954d0010f729c98b3afb07e1e408e0b6fd629', operation='UPDATE', pgid='pgtrigger_as_it_was_sent_7fc22', table='flow_referral', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referraltask',
            trigger=pgtrigger.compiler.Trigger(name='no_more_than_wanted', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" IN (\'accepted\', \'in-progress\', \'on-hold\', \'completed\'))', declare="DECLARE sent flow_referral%ROWTYPE; taken TEXT[] := ARRAY['accepted', 'in-progress', 'on-hold', 'completed'];", func="\n        SELECT * INTO sent FROM flow_referral WHERE id = NEW.referral_id;\n        IF sent.package_wanted IS NOT NULL THEN\n            PERFORM 1 FROM flow_patient WHERE id = sent.patient_id FOR NO KEY UPDATE;\n        END IF;\n        PERFORM 1 FROM flow_referral WHERE id = NEW.referral_id FOR NO KEY UPDATE;\n        IF (SELECT count(*) FROM flow_referraltask t WHERE t.referral_id = NEW.referral_id AND t.id <> NEW.id AND t.status = ANY(taken))\n            >= sent.wanted\n        OR sent.package_wanted IS NOT NULL AND (\n            SELECT count(*) FROM flow_referral r\n            WHERE r.package = sent.package AND r.id <> sent.id AND r.package_wanted IS NOT NULL\n            AND EXISTS (SELECT 1 FROM flow_referraltask t WHERE t.referral_id = r.id AND t.status = ANY(taken))\n        ) >= sent.package_wanted THEN\n            RAISE EXCEPTION 'As many services as are wanted have already said yes for this person.'\n                USING ERRCODE = 'unique_violation', CONSTRAINT = 'no_more_than_wanted';\n        END IF;\n        RETURN NEW;\n    ", hash='b22b3557501bb3f166d614177bbbd3ea485e2c11', operation='INSERT OR UPDATE OF "status"', pgid='pgtrigger_no_more_than_wanted_57530', table='flow_referraltask', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='processrule',
            name='organization',
            field=models.ForeignKey(blank=True, help_text='Whose referrals. Empty: all.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalogue.organization'),
        ),
        migrations.AddField(
            model_name='queuedask',
            name='pool',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='capacity.servicecapacity'),
        ),
        migrations.AddField(
            model_name='queuedask',
            name='referral',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='queue', to='flow.referral'),
        ),
        migrations.AddField(
            model_name='ruledeed',
            name='referral',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rule_deeds', to='flow.referral'),
        ),
        migrations.AddField(
            model_name='ruledeed',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deeds', to='flow.processrule'),
        ),
        migrations.AddField(
            model_name='ruledeed',
            name='task',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='flow.referraltask'),
        ),
        migrations.AddField(
            model_name='ruleswitch',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ruleswitch',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='switches', to='flow.processrule'),
        ),
        migrations.AddField(
            model_name='ruleversion',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ruleversion',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='flow.processrule'),
        ),
        migrations.AddField(
            model_name='ruleswitch',
            name='version',
            field=models.ForeignKey(help_text='Empty: switched off.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.ruleversion'),
        ),
        migrations.AddField(
            model_name='ruledeed',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.ruleversion'),
        ),
        migrations.AddField(
            model_name='processrule',
            name='live',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.ruleversion'),
        ),
        migrations.AddField(
            model_name='transition',
            name='rule',
            field=models.ForeignKey(blank=True, help_text='The process rule that took it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.ruleversion'),
        ),
        migrations.AddConstraint(
            model_name='transition',
            constraint=models.CheckConstraint(condition=models.Q(('rule__isnull', True), models.Q(('action__in', ['send', 'withdraw']), ('by__isnull', True)), _connector='OR'), name='no_rule_answers_for_a_person', violation_error_message='A rule may ask or withdraw. Only a person says yes or no.'),
        ),
        migrations.AddConstraint(
            model_name='referral',
            constraint=models.CheckConstraint(condition=models.Q(('wanted__gte', 1), models.Q(('package_wanted__isnull', True), models.Q(('package__isnull', False), ('package_wanted__gte', 1)), _connector='OR')), name='at_least_one_is_wanted', violation_error_message='At least one service must be wanted.'),
        ),
        migrations.AddConstraint(
            model_name='queuedask',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('referral', 'position'), name='one_after_the_other', violation_error_message='Two services cannot have the same place in the order.'),
        ),
        migrations.AddConstraint(
            model_name='queuedask',
            constraint=models.UniqueConstraint(fields=('referral', 'pool'), name='once_in_the_order', violation_error_message='This service is in the list already.'),
        ),
        migrations.AddConstraint(
            model_name='queuedask',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'passed'), _negated=True), models.Q(('because', ''), _negated=True), _connector='OR'), name='passed_over_says_why', violation_error_message='Say why the service was passed over.'),
        ),
        migrations.AddConstraint(
            model_name='ruleversion',
            constraint=models.UniqueConstraint(fields=('rule', 'number'), name='rule_version_once', violation_error_message='Somebody has just changed this rule. Look again.'),
        ),
        migrations.AddConstraint(
            model_name='ruleversion',
            constraint=models.CheckConstraint(condition=models.Q(('action__in', ['remind', 'withdraw', 'offer-next', 'route', 'escalate', 'follow-up'])), name='a_rule_never_answers', violation_error_message='A rule may ask, remind, withdraw, route or escalate. Only a person says yes or no.'),
        ),
        migrations.AddConstraint(
            model_name='ruleversion',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_rule_says_why', violation_error_message='Say why the rule is wanted.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ruleversion',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6fda90b15fc46d7471d1ec3c6eaaff029a4a69ac', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_0554b', table='flow_ruleversion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='ruleswitch',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_rule_switch_says_why', violation_error_message='Say why you switch the rule on or off.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ruleswitch',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2148b755b1adbf9cf58e8ac761dadfa0caaac721', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_dc364', table='flow_ruleswitch', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='ruledeed',
            index=models.Index(fields=['rule', '-at'], name='rule_deeds_newest'),
        ),
        migrations.AddConstraint(
            model_name='ruledeed',
            constraint=models.UniqueConstraint(fields=('rule', 'key'), name='a_rule_acts_once', violation_error_message='The rule has done this already.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ruledeed',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='afad9a35e8a7f6edc1e59e5ac382db442c514dc0', operation='UPDATE', pgid='pgtrigger_append_only_c2bb0', table='flow_ruledeed', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='processrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('live__isnull', True), ('live_since__isnull', True)), models.Q(('live__isnull', False), ('live_since__isnull', False)), _connector='OR'), name='a_live_rule_has_a_beginning', violation_error_message='A rule that is on began at some time.'),
        ),
    ]
