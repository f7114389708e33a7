from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flow", "0011_what_if")]
    operations = [
        migrations.AddField(
            model_name="referral",
            name="package",
            field=models.UUIDField(blank=True, help_text="The same for what was sent together because all of it is wanted.", null=True),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(condition=models.Q(("package__isnull", False)), fields=["package"], name="sent_together"),
        ),
    ]
