from django.db import migrations, models


class Migration(migrations.Migration):
    """Prices there are have the date of their own claim until one of those who agree looks again."""

    dependencies = [
        ("pricing", "0009_superseded_rates_are_kept"),
    ]

    operations = [
        migrations.AddField("price", "seen_at", models.DateTimeField(null=True)),
        migrations.RunSQL("UPDATE pricing_price SET seen_at = observed_at", migrations.RunSQL.noop),
        migrations.AlterField(
            "price",
            "seen_at",
            models.DateTimeField(
                help_text="When a claim that agrees was last seen; of a price that is over, when the accepted one was."
            ),
        ),
    ]
