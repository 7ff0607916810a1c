"""Bills become feeds of their own: settlements name them `importer/billed`. Verifying with repair settles days anew."""

from django.db import migrations

NAMED = """
    UPDATE usage_settlement s SET {feed} = s.{feed} || '/billed'
    WHERE EXISTS (
        SELECT FROM usage_modeldailycost r JOIN usage_connection n ON n.id = r.connection_id
        WHERE r.organisation_id = s.organisation_id AND r.day = s.day AND n.importer = s.{feed}
            AND r.cost_kind = 'billed'
    ) AND NOT EXISTS (
        SELECT FROM usage_modeldailycost r JOIN usage_connection n ON n.id = r.connection_id
        WHERE r.organisation_id = s.organisation_id AND r.day = s.day AND n.importer = s.{feed}
            AND r.cost_kind = 'estimated'
    )"""
AS_BEFORE = "UPDATE usage_settlement SET {feed} = replace({feed}, '/billed', '')"


class Migration(migrations.Migration):
    dependencies = [("usage", "0014_budgets")]
    operations = [
        migrations.RunSQL(NAMED.format(feed=feed), reverse_sql=AS_BEFORE.format(feed=feed))
        for feed in ("money_feed", "usage_feed", "detail_feed")
    ]
