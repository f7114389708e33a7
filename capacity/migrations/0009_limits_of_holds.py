"""How many holds a team may keep, so that places are not hoarded."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("capacity", "0008_sessions")]

    operations = [
        migrations.AddField(
            model_name="freshnesspolicy",
            name="holds_per_person",
            field=models.PositiveSmallIntegerField(
                db_default=2, default=2, help_text="At how many places at most a team keeps one for the same person."
            ),
        ),
        migrations.AddField(
            model_name="freshnesspolicy",
            name="holds_per_team",
            field=models.PositiveSmallIntegerField(
                db_default=5, default=5, help_text="How many places of the same pool one team keeps at most, so that none are hoarded."
            ),
        ),
        migrations.AddConstraint(
            model_name="freshnesspolicy",
            constraint=models.CheckConstraint(
                condition=Q(holds_per_person__gte=1, holds_per_team__gte=1),
                name="some_holds_allowed",
                violation_error_message="Allow at least one hold for a person, and one for a team.",
            ),
        ),
    ]
