from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0011_rates_by_day"),
    ]

    operations = [
        migrations.AddField(
            model_name="sourcerun",
            name="read_by",
            field=models.CharField(
                blank=True, help_text="pricing.program.stamp; '' = an earlier release.", max_length=32
            ),
        ),
        migrations.AlterField(
            model_name="claim",
            name="withdrawn_at",
            field=models.DateTimeField(
                help_text="First reading that no longer says it; first_seen_at = it was misread.", null=True
            ),
        ),
    ]
