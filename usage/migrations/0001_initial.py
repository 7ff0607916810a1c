
import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from decimal import Decimal
from django.db import migrations, models


LEDGER = """
CREATE SEQUENCE usage_usagerecord_id_seq CACHE 100;
CREATE TABLE usage_usagerecord (
    id bigint NOT NULL DEFAULT nextval('usage_usagerecord_id_seq'),
    organisation_id bigint NOT NULL,
    connection_id bigint NOT NULL,
    dimension_id bigint NOT NULL,
    offering_id bigint,
    batch_id bigint NOT NULL,
    rate_card_id bigint,
    occurred_at timestamptz NOT NULL,
    period_end timestamptz,
    in_uncached bigint,
    in_cache_read bigint,
    in_cache_write bigint,
    cache_write_5m bigint NOT NULL,
    cache_write_30m bigint NOT NULL,
    cache_write_1h bigint NOT NULL,
    cache_write_12h bigint NOT NULL,
    out_total bigint,
    out_reasoning bigint,
    requests bigint,
    context_tokens bigint,
    content_hash bigint NOT NULL,
    revision integer NOT NULL,
    rating_flags smallint NOT NULL,
    counted boolean NOT NULL,
    record_key varchar(300) NOT NULL,
    grain varchar(8) NOT NULL,
    service_tier varchar(40) NOT NULL,
    currency varchar(3) NOT NULL,
    cost_kind varchar(10) NOT NULL,
    unpriced_reason varchar(8),
    cost_reported numeric(24, 12),
    list_cost numeric(24, 12),
    contracted_cost numeric(24, 12),
    quality varchar(60)[] NOT NULL,
    rank bigint[] NOT NULL
) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE usage_usagerecord_id_seq OWNED BY usage_usagerecord.id;
"""

# Parts of a whole by largest remainder, ties to the earlier part: `places` decimals, exact, whatever the weights.
# Every part of an unknown amount (NULL) is unknown.
SPLIT = """
CREATE FUNCTION usage_split(amount numeric, weights numeric[], places integer) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    unit CONSTANT numeric := CASE places WHEN 0 THEN 1 ELSE 0.000000000001 END;
    units CONSTANT numeric := abs(amount) * CASE places WHEN 0 THEN 1 ELSE 1000000000000 END;
    parts numeric[] := '{}';
    rest numeric[] := '{}';
    missing integer;
    best integer;
BEGIN
    IF amount IS NULL OR amount = 0 THEN
        RETURN array_fill(amount, ARRAY[cardinality(weights)]);
    END IF;
    IF cardinality(weights) = 2 THEN  -- what follows, in one step: an equal rest goes to the first
        parts[1] := sign(amount) * floor(units * weights[1] + 0.5) * unit;
        RETURN ARRAY[parts[1], amount - parts[1]];
    END IF;
    FOR i IN 1 .. cardinality(weights) LOOP
        parts[i] := floor(units * weights[i]);
        rest[i] := units * weights[i] - parts[i];
    END LOOP;
    missing := units - (SELECT sum(part) FROM unnest(parts) part);
    FOR _ IN 1 .. missing LOOP
        best := 1;
        FOR i IN 2 .. cardinality(rest) LOOP
            IF rest[i] > rest[best] THEN
                best := i;
            END IF;
        END LOOP;
        parts[best] := parts[best] + 1;
        rest[best] := -1;
    END LOOP;
    FOR i IN 1 .. cardinality(parts) LOOP
        parts[i] := parts[i] * unit * sign(amount);
    END LOOP;
    RETURN parts;
END $$;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('pricing', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ColumnMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('spec', models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('importer', models.CharField(max_length=60)),
                ('scope', models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=120, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('display_currency', models.CharField(default='USD', max_length=3)),
                ('is_sample', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='ImportBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mapping_spec', models.JSONField(help_text='The mapping as it was when the import began.', null=True)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('held', 'done, but nothing was withdrawn'), ('failed', 'Failed')], default='queued', max_length=8)),
                ('files', models.JSONField(help_text='[{path, origin}] in reading order.')),
                ('uploaded', models.BooleanField(default=False, help_text='The files are ours and go when the batch is done.')),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('size', models.BigIntegerField(default=0, help_text='Bytes.')),
                ('lines', models.BigIntegerField(default=0)),
                ('imported', models.BigIntegerField(default=0)),
                ('updated', models.BigIntegerField(default=0)),
                ('duplicate', models.BigIntegerField(default=0)),
                ('withdrawn', models.BigIntegerField(default=0)),
                ('ignored', models.JSONField(default=dict, help_text='reason → lines')),
                ('rejected', models.JSONField(default=dict, help_text='reason → lines')),
                ('unpriced', models.BigIntegerField(default=0)),
                ('unattributed', models.BigIntegerField(default=0)),
                ('checkpoint', models.JSONField(default=dict, help_text='{file, offset, line}: where the next chunk begins.')),
                ('window_from', models.DateTimeField(null=True)),
                ('window_until', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
                ('requested_by', models.CharField(blank=True, max_length=254)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('touched_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='Last commit of a chunk.')),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='usage.connection')),
                ('mapping', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='usage.columnmapping')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='usage.organisation')),
            ],
            options={
                'verbose_name_plural': 'import batches',
            },
        ),
        migrations.AddField(
            model_name='connection',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='usage.organisation'),
        ),
        migrations.AddField(
            model_name='columnmapping',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mappings', to='usage.organisation'),
        ),
        migrations.CreateModel(
            name='AttributionRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('name', models.CharField(max_length=200)),
                ('conditions', models.JSONField(help_text='[{field, op, value}]; all must hold. See usage.attribution.')),
                ('outcome', models.JSONField(help_text='[{"project": id, "weight": "0.7"}]; weights sum to 1.')),
                ('valid_from', models.DateField(blank=True, null=True)),
                ('valid_until', models.DateField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('enabled', models.BooleanField(default=True)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='usage.organisation')),
            ],
            options={
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Attribution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule_version', models.PositiveIntegerField(default=0)),
                ('projects', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='Project ids, ascending.', size=None)),
                ('weights', django.contrib.postgres.fields.ArrayField(base_field=models.DecimalField(decimal_places=12, max_digits=13), size=None)),
                ('content_hash', models.CharField(max_length=32)),
                ('rule', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='usage.attributionrule')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attributions', to='usage.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=120)),
                ('name', models.CharField(max_length=200)),
                ('owner', models.CharField(blank=True, help_text='E-mail of who answers for it.', max_length=254)),
                ('cost_centre', models.CharField(blank=True, max_length=120)),
                ('quality_floor', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                ('quality_margin', models.DecimalField(decimal_places=4, default=Decimal('15'), max_digits=14)),
                ('needs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('sensitivity', models.CharField(choices=[('public', 'Public'), ('internal', 'Internal'), ('confidential', 'Confidential'), ('restricted', 'Restricted')], default='internal', max_length=20)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='projects', to='usage.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='DailyCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text='UTC.')),
                ('host', models.CharField(blank=True, max_length=120)),
                ('model_raw', models.CharField(blank=True, help_text="'' where the offering is known.", max_length=400)),
                ('service_tier', models.CharField(blank=True, max_length=40)),
                ('cost_kind', models.CharField(choices=[('billed', 'Billed'), ('estimated', 'Estimated'), ('notional', 'Notional')], max_length=10)),
                ('currency', models.CharField(blank=True, help_text='Of reported cost.', max_length=3)),
                ('list_currency', models.CharField(blank=True, max_length=3)),
                ('counted', models.BooleanField(default=True)),
                ('records', models.BigIntegerField(default=0)),
                ('requests', models.BigIntegerField(default=0)),
                ('in_uncached', models.BigIntegerField(default=0)),
                ('in_cache_read', models.BigIntegerField(default=0)),
                ('in_cache_write', models.BigIntegerField(default=0)),
                ('out_total', models.BigIntegerField(default=0)),
                ('out_reasoning', models.BigIntegerField(default=0)),
                ('list_cost', models.DecimalField(decimal_places=12, default=0, max_digits=30)),
                ('contracted_cost', models.DecimalField(decimal_places=12, default=0, max_digits=30)),
                ('reported_cost', models.DecimalField(decimal_places=12, default=0, max_digits=30)),
                ('priced_records', models.BigIntegerField(default=0)),
                ('reported_records', models.BigIntegerField(default=0)),
                ('unpriced_requests', models.BigIntegerField(default=0)),
                ('unpriced_tokens', models.BigIntegerField(default=0)),
                ('unknown_requests', models.BigIntegerField(default=0, help_text='Records whose number of requests is unknown.')),
                ('unknown_in_uncached', models.BigIntegerField(default=0)),
                ('unknown_in_cache_read', models.BigIntegerField(default=0)),
                ('unknown_in_cache_write', models.BigIntegerField(default=0)),
                ('unknown_out_total', models.BigIntegerField(default=0)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.connection')),
                ('offering', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.offering')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.organisation')),
                ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='usage.project')),
            ],
        ),
        migrations.CreateModel(
            name='RejectedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(max_length=1000)),
                ('line', models.BigIntegerField()),
                ('reason', models.CharField(max_length=500)),
                ('raw', models.CharField(blank=True, max_length=2048)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rejected_rows', to='usage.importbatch')),
            ],
        ),
        migrations.CreateModel(
            name='SupersededRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('record_key', models.CharField(max_length=300)),
                ('row', models.JSONField()),
                ('withdrawn', models.BooleanField(help_text='False: a better fact replaced it.')),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='superseded', to='usage.importbatch')),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.connection')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='UsageDimension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_raw', models.CharField(max_length=400)),
                ('host', models.CharField(blank=True, max_length=120)),
                ('operation', models.CharField(blank=True, max_length=120)),
                ('region', models.CharField(blank=True, max_length=120)),
                ('ext_project', models.CharField(blank=True, max_length=1000)),
                ('ext_api_key', models.CharField(blank=True, max_length=1000)),
                ('ext_user', models.CharField(blank=True, max_length=1000)),
                ('ext_team', models.CharField(blank=True, max_length=1000)),
                ('path', models.CharField(blank=True, max_length=1000)),
                ('branch', models.CharField(blank=True, max_length=1000)),
                ('tags', models.JSONField(default=list, help_text='[[key, value], …]')),
                ('content_hash', models.CharField(max_length=32)),
                ('match_rule', models.CharField(blank=True, max_length=300)),
                ('resolved_version', models.CharField(blank=True, max_length=64)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dimensions', to='usage.connection')),
                ('offering', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.offering')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dimensions', to='usage.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField(default=datetime.date(1, 1, 1))),
                ('valid_until', models.DateField(default=datetime.date(9999, 12, 31))),
                ('attribution', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.attribution')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.organisation')),
                ('dimension', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='usage.usagedimension')),
            ],
        ),
        # Written by hand: Django cannot partition. Otherwise the columns are what CreateModel would make.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(LEDGER, "DROP TABLE usage_usagerecord; DROP SEQUENCE usage_usagerecord_id_seq")],
            state_operations=[
                migrations.CreateModel(
                    name='UsageRecord',
                    fields=[
                        ('pk', models.CompositePrimaryKey('organisation_id', 'connection_id', 'record_key', 'occurred_at', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('id', models.BigIntegerField(editable=False)),
                        ('record_key', models.CharField(max_length=300)),
                        ('occurred_at', models.DateTimeField()),
                        ('period_end', models.DateTimeField(null=True)),
                        ('grain', models.CharField(choices=[('request', 'Request'), ('delta', 'Delta'), ('1m', 'Minute'), ('1h', 'Hour'), ('1d', 'Day'), ('1mo', 'Month')], max_length=8)),
                        ('in_uncached', models.BigIntegerField(null=True)),
                        ('in_cache_read', models.BigIntegerField(null=True)),
                        ('in_cache_write', models.BigIntegerField(null=True)),
                        ('cache_write_5m', models.BigIntegerField(default=0, help_text='Of in_cache_write, with a stated lifetime.')),
                        ('cache_write_30m', models.BigIntegerField(default=0)),
                        ('cache_write_1h', models.BigIntegerField(default=0)),
                        ('cache_write_12h', models.BigIntegerField(default=0)),
                        ('out_total', models.BigIntegerField(null=True)),
                        ('out_reasoning', models.BigIntegerField(help_text='Of out_total.', null=True)),
                        ('requests', models.BigIntegerField(null=True)),
                        ('context_tokens', models.BigIntegerField(help_text='Prompt tokens of each request in a bucket.', null=True)),
                        ('service_tier', models.CharField(blank=True, help_text="'' = not reported: standard.", max_length=40)),
                        ('cost_reported', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                        ('currency', models.CharField(blank=True, help_text='Of cost_reported.', max_length=3)),
                        ('cost_kind', models.CharField(choices=[('billed', 'Billed'), ('estimated', 'Estimated'), ('notional', 'Notional')], max_length=10)),
                        ('list_cost', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                        ('contracted_cost', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                        ('unpriced_reason', models.CharField(choices=[('model', 'the model is not recognised'), ('tokens', 'neither input nor output tokens are known'), ('card', 'the offering has no price at that time'), ('tier', 'the reported service tier has no price'), ('price', 'one of its token kinds has no price')], max_length=8, null=True)),
                        ('rating_flags', models.SmallIntegerField(default=0, help_text='usage.rating: 1 tier unknown, 2 price changed inside.')),
                        ('quality', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None)),
                        ('rank', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                        ('revision', models.IntegerField(default=1)),
                        ('counted', models.BooleanField(default=True)),
                        ('content_hash', models.BigIntegerField()),
                        ('batch', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='usage.importbatch')),
                        ('connection', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='usage.connection')),
                        ('dimension', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='usage.usagedimension')),
                        ('offering', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pricing.offering')),
                        ('organisation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='usage.organisation')),
                        ('rate_card', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pricing.ratecard')),
                    ],
                ),
            ],
        ),
        migrations.RunSQL(SPLIT, "DROP FUNCTION usage_split(numeric, numeric[], integer)"),
        migrations.CreateModel(
            name='ImportedKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('record_key', models.CharField(max_length=300)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='usage.importbatch')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('batch', 'record_key'), name='key_seen_once')],
            },
        ),
        migrations.CreateModel(
            name='ModelDailyCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text='UTC.')),
                ('host', models.CharField(blank=True, max_length=120)),
                ('model_raw', models.CharField(blank=True, help_text="'' where the offering is known.", max_length=400)),
                ('service_tier', models.CharField(blank=True, max_length=40)),
                ('cost_kind', models.CharField(choices=[('billed', 'Billed'), ('estimated', 'Estimated'), ('notional', 'Notional')], max_length=10)),
                ('currency', models.CharField(blank=True, help_text='Of reported cost.', max_length=3)),
                ('list_currency', models.CharField(blank=True, max_length=3)),
                ('counted', models.BooleanField(default=True)),
                ('records', models.BigIntegerField(default=0)),
                ('requests', models.BigIntegerField(default=0)),
                ('in_uncached', models.BigIntegerField(default=0)),
                ('in_cache_read', models.BigIntegerField(default=0)),
                ('in_cache_write', models.BigIntegerField(default=0)),
                ('out_total', models.BigIntegerField(default=0)),
                ('out_reasoning', models.BigIntegerField(default=0)),
                ('list_cost', models.DecimalField(decimal_places=12, default=0, max_digits=30)),
                ('contracted_cost', models.DecimalField(decimal_places=12, default=0, max_digits=30)),
                ('reported_cost', models.DecimalField(decimal_places=12, default=0, max_digits=30)),
                ('priced_records', models.BigIntegerField(default=0)),
                ('reported_records', models.BigIntegerField(default=0)),
                ('unpriced_requests', models.BigIntegerField(default=0)),
                ('unpriced_tokens', models.BigIntegerField(default=0)),
                ('unknown_requests', models.BigIntegerField(default=0, help_text='Records whose number of requests is unknown.')),
                ('unknown_in_uncached', models.BigIntegerField(default=0)),
                ('unknown_in_cache_read', models.BigIntegerField(default=0)),
                ('unknown_in_cache_write', models.BigIntegerField(default=0)),
                ('unknown_out_total', models.BigIntegerField(default=0)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.connection')),
                ('offering', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.offering')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='usage.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'day', 'connection', 'offering', 'host', 'model_raw', 'service_tier', 'cost_kind', 'currency', 'list_currency', 'counted'), name='model_daily_cost_once', nulls_distinct=False)],
            },
        ),
        migrations.AddIndex(
            model_name='importbatch',
            index=models.Index(fields=['organisation', '-created_at'], name='batch_latest'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('organisation', 'importer', 'scope'), name='connection_once'),
        ),
        migrations.AddConstraint(
            model_name='columnmapping',
            constraint=models.UniqueConstraint(fields=('organisation', 'name'), name='mapping_named_once'),
        ),
        migrations.AddConstraint(
            model_name='attributionrule',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_until', None), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='rule_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='attribution',
            constraint=models.UniqueConstraint(fields=('organisation', 'content_hash'), name='attribution_interned'),
        ),
        migrations.AddConstraint(
            model_name='project',
            constraint=models.UniqueConstraint(fields=('organisation', 'slug'), name='project_slug_once'),
        ),
        migrations.AddConstraint(
            model_name='dailycost',
            constraint=models.UniqueConstraint(fields=('organisation', 'day', 'connection', 'offering', 'host', 'model_raw', 'service_tier', 'cost_kind', 'currency', 'list_currency', 'counted', 'project'), name='daily_cost_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='rejectedrow',
            constraint=models.UniqueConstraint(fields=('batch', 'origin', 'line'), name='rejected_once'),
        ),
        migrations.AddIndex(
            model_name='supersededrecord',
            index=models.Index(fields=['organisation', 'connection', 'record_key'], name='superseded_by_key'),
        ),
        migrations.AddConstraint(
            model_name='usagedimension',
            constraint=models.UniqueConstraint(fields=('organisation', 'connection', 'content_hash'), name='dimension_interned'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(fields=('dimension', 'valid_from'), name='assigned_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__gt', models.F('valid_from'))), name='assignment_has_days'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('in_cache_read__gte', 0), ('in_uncached__gte', 0)), name='record_input'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('cache_write_12h__gte', 0), ('cache_write_1h__gte', 0), ('cache_write_30m__gte', 0), ('cache_write_5m__gte', 0)), name='record_lifetimes'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('in_cache_write__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('cache_write_5m'), '+', models.F('cache_write_30m')), '+', models.F('cache_write_1h')), '+', models.F('cache_write_12h')))), name='record_lifetimes_of_write'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('out_reasoning__gte', 0), ('out_total__gte', 0), ('out_total__gte', models.F('out_reasoning'))), name='record_reasoning_of_output'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('context_tokens__gte', 0), ('requests__gte', 0)), name='record_counts'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('list_cost', None), ('rate_card', None), ('unpriced_reason__isnull', False)), models.Q(('list_cost__isnull', False), ('rate_card__isnull', False), ('unpriced_reason', None)), _connector='OR'), name='record_priced_or_says_why_not'),
        ),
    ]
