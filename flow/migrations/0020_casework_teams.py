import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('flow', '0019_in_order_and_rules'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='note',
            name='a_shared_note_is_on_a_referral',
        ),
        migrations.AddField(
            model_name='followup',
            name='team',
            field=models.ForeignKey(blank=True, help_text='Whose it is to do.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.team'),
        ),
        migrations.AddField(
            model_name='note',
            name='team',
            field=models.ForeignKey(blank=True, help_text='Whose alone it is.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='flow.team'),
        ),
        migrations.AlterField(
            model_name='note',
            name='audience',
            field=models.CharField(choices=[('team', 'One of our teams only'), ('own', 'Our organisation only'), ('referral', 'Also the other side of the referral, once the service has said yes')], default='own', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='note',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('audience', 'referral'), _negated=True), ('referral__isnull', False), _connector='OR'), name='a_shared_note_is_on_a_referral', violation_error_message='Choose the referral on which the note is shared.'),
        ),
        migrations.AddConstraint(
            model_name='note',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('audience', 'team'), ('team__isnull', False)), models.Q(models.Q(('audience', 'team'), _negated=True), ('team__isnull', True)), _connector='OR'), name='a_note_of_a_team_names_it', violation_error_message='Choose the team that may read the note.'),
        ),
    ]
