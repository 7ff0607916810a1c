from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pricing", "0010_prices_seen_by_who_agrees"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="exchangerate",
            index=models.Index(fields=["currency", "day"], name="rates_by_day"),
        ),
    ]
