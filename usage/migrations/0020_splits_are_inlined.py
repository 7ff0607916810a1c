"""`usage_split` in SQL where it can be: PostgreSQL then computes it in place of calling it for every count and amount.

Of two parts the first is rounded half away from zero and the second is the rest, as before. More go by largest
remainder, in what was the whole function.
"""

from django.db import migrations

INLINED = """
ALTER FUNCTION usage_split(numeric, numeric[], integer) RENAME TO usage_split_many;
CREATE FUNCTION usage_split(amount numeric, weights numeric[], places integer) RETURNS numeric[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN cardinality(weights) <> 2 THEN usage_split_many(amount, weights, places)
        WHEN amount = 0 THEN ARRAY[amount, amount]
        ELSE ARRAY[round(amount * weights[1], places), amount - round(amount * weights[1], places)] END;
"""
CALLED = """
DROP FUNCTION usage_split(numeric, numeric[], integer);
ALTER FUNCTION usage_split_many(numeric, numeric[], integer) RENAME TO usage_split;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0019_months_stand_on_their_rates")]
    operations = [migrations.RunSQL(INLINED, CALLED)]
