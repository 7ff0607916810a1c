"""Azure Retail Prices API: what Microsoft bills for models of Azure OpenAI and Foundry, by meter and region.

    {"BillingCurrency": "USD", "Items": [
       {"currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": 0.0025, "unitPrice": 0.0025,
        "armRegionName": "eastus", "effectiveStartDate": "2024-08-01T00:00:00Z", "unitOfMeasure": "1K",
        "meterName": "gpt-4o-0806-Inp-glbl Tokens", "productName": "Azure OpenAI", "type": "Consumption", …}, …],
     "NextPageLink": "https://prices.azure.com:443/api/retail/prices?…&$skip=1000", "Count": 1000}

Pages of a thousand items. `meters` reads a meter's name. A meter of a global or Data Zone deployment is repeated for
every region that sells it, and `effectiveStartDate` is when its price began in that region, so the offering's price
began at the earliest. Offerings have the region '' (Global Standard), `us`, `eu` or `usgov` (Data Zone) or the
region's own name. Where the regions of one zone are billed differently, each keeps its own: `datazone-polandcentral`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from urllib.parse import quote

from pricing.sources import MTOK, VENDOR_API, AliasFact, OfferingFact, Reading, SourceError, Statement
from pricing.sources.azure_retail import meters
from pricing.sources.azure_retail.meters import Meter, Scope

SLUG = "azure_retail"
NAME = "Azure Retail Prices"
TRUST = VENDOR_API
PRECEDENCE = 1  # the only vendor's own list of Azure prices
COPIES = ()
LICENCE = "public facts"
URL = "https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices"
FEED = "https://prices.azure.com/api/retail/prices?$filter=" + quote(
    "contains(productName,'Azure OpenAI') or "
    + " or ".join(f"productName eq '{product}'" for product in meters.PRODUCTS if product != "Azure OpenAI"),
    safe="(),'",
)
CADENCE_HOURS = 24
STATES_HISTORY = False  # each meter with its price of today; a past price is no longer listed

_PER = {"1K": 1000, "1M": MTOK}
_ZONES: Mapping[str, frozenset[str]] = {
    # The Data Zones Microsoft documents: the United States, the member nations of the EU, and US Government.
    "us": frozenset(
        {"centralus", "eastus", "eastus2", "northcentralus", "southcentralus", "westcentralus", "westus", "westus2",
         "westus3"}
    ),
    "eu": frozenset(
        {"austriaeast", "belgiumcentral", "denmarkeast", "francecentral", "francesouth", "germanynorth",
         "germanywestcentral", "italynorth", "northeurope", "polandcentral", "spaincentral", "swedencentral",
         "swedensouth", "westeurope"}
    ),
    "usgov": frozenset({"usgovarizona", "usgovtexas", "usgovvirginia"}),
}  # fmt: skip
_NO_REGION = ("", "Global")
_MOST = Decimal(1_000_000)


class _Key(NamedTuple):
    """What one price is for, but for where."""

    sku: str
    unit: str
    service_tier: str
    context_from: int
    scope: Scope


_Stated = dict[datetime, set[Decimal]]
"""Start → amounts per million tokens, of one key in one region: more than one where two meters disagree."""
_Series = dict[datetime, Decimal]


def parse(body: bytes) -> Reading:
    """Every price per token of a page, or of a list of pages."""
    try:
        stated = json.loads(body, parse_float=Decimal)
        pages = stated if isinstance(stated, list) else [stated]
        reading = Reading()
        prices: dict[_Key, dict[str, _Stated]] = defaultdict(dict)
        for page in pages:
            for item in _items(page):
                _read(item, prices, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is no page of the Azure Retail Prices API: {fault!r}.") from fault
    _state(prices, reading)
    if not reading.statements:
        raise SourceError("The Azure Retail Prices API lists no price per token; its products or names have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _items(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The items of a page, one a region; a condensed copy (`items`) lists a meter once with its `regions`."""
    if "items" not in page:
        yield from page["Items"]
        return
    for meter in page["items"]:
        for region in meter["regions"]:
            yield {**meter, "armRegionName": region}


def next_page(body: bytes) -> str | None:
    """The address of the page after this one; None on the last."""
    try:
        link = json.loads(body)["NextPageLink"]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise SourceError(f"The body is no page of the Azure Retail Prices API: {fault!r}.") from fault
    return link if isinstance(link, str) and link else None


def _read(item: Mapping[str, Any], prices: dict[_Key, dict[str, _Stated]], reading: Reading) -> None:
    """One item into the prices, or counted."""
    meter = _meter(item)
    if isinstance(meter, str):
        reading.unplaced[meter] += 1
        return
    amount = _amount(item)
    if amount is None:
        reading.unplaced["amount that is no price"] += 1
        return
    start = datetime.fromisoformat(item["effectiveStartDate"].replace("Z", "+00:00")).astimezone(UTC)
    for sku in meter.skus:
        key = _Key(sku, meter.unit, meter.service_tier, meter.context_from, meter.scope)
        prices[key].setdefault(item["armRegionName"], {}).setdefault(start, set()).add(amount)


def _meter(item: Mapping[str, Any]) -> Meter | str:
    """What the item prices, or the kind under which it is counted."""
    if item.get("type", "Consumption") != "Consumption":
        return f"{item['type']} price"
    if item.get("currencyCode", "USD") != "USD":
        return f"price in {item['currencyCode']}"
    if item.get("tierMinimumUnits"):
        return "price above a used quantity"
    meter = meters.read(item["productName"], item["meterName"])
    if isinstance(meter, str):
        return meter
    if item["unitOfMeasure"] not in _PER:
        return f"tokens per {item['unitOfMeasure']}"
    region = item["armRegionName"]
    if not isinstance(region, str) or (meter.scope is not Scope.GLOBAL and region in _NO_REGION):
        return "regional price without a region"
    if meter.scope is Scope.GLOBAL and region in _ZONES["usgov"]:
        return "global price of Azure Government"
    if meter.scope is Scope.DATA_ZONE and _zone(region) is None:
        return "Data Zone price in a region of no documented zone"
    return meter


def _amount(item: Mapping[str, Any]) -> Decimal | None:
    """USD per million tokens; None where it is no amount, and for the zero of a meter that is not billed."""
    stated = item["retailPrice"]
    if isinstance(stated, bool) or not isinstance(stated, int | Decimal):
        return None
    try:
        amount = Decimal(stated) * (MTOK // _PER[item["unitOfMeasure"]])
        return amount if amount.is_finite() and 0 < amount < _MOST else None
    except InvalidOperation:
        return None


def _zone(region: str) -> str | None:
    return next((zone for zone, regions in _ZONES.items() if region in regions), None)


def _state(prices: Mapping[_Key, Mapping[str, _Stated]], reading: Reading) -> None:
    offerings: dict[tuple[str, str], OfferingFact] = {}
    for key, stated_in in prices.items():
        cleared = {region: _clear(stated, reading) for region, stated in stated_in.items()}
        regions = {region: series for region, series in cleared.items() if series}
        for place, series in _places(key.scope, regions, reading):
            reading.statements += _statements(key, place, series)
            offerings.setdefault((key.sku, place), OfferingFact("azure", "Microsoft Azure", key.sku, place))
    reading.offerings += offerings.values()
    skus = {sku for sku, _ in offerings}
    reading.aliases += (
        AliasFact("azure", name, sku, url=URL)
        for name, sku in meters.SAME_MODEL.items()
        if sku in skus and name not in skus
    )


def _places(scope: Scope, regions: Mapping[str, _Series], reading: Reading) -> Iterator[tuple[str, _Series]]:
    """The regions as the offering has them: one place for a scope whose regions are all billed alike."""
    if scope is Scope.REGIONAL:
        yield from regions.items()
        return
    shared: dict[str, dict[str, _Series]] = defaultdict(dict)
    for region, series in regions.items():
        shared["" if scope is Scope.GLOBAL else _zone(region) or region][region] = series
    for place, members in shared.items():
        amounts = {tuple(amount for _, amount in sorted(series.items())) for series in members.values()}
        if len(amounts) > 1:
            reading.unplaced[f"{scope} price kept by region: its regions differ"] += 1
            yield from ((f"{scope}-{region}", series) for region, series in members.items())
        else:
            yield place, _earliest(members.values())


def _clear(stated: _Stated, reading: Reading) -> _Series:
    """The prices nothing contradicts: where two meters of one model disagree, nothing says which one is billed."""
    for amounts in stated.values():
        if len(amounts) > 1:
            reading.unplaced["one model in one region under two prices"] += len(amounts)
    return {start: next(iter(amounts)) for start, amounts in stated.items() if len(amounts) == 1}


def _earliest(alike: Iterable[_Series]) -> _Series:
    """The one series of regions billed alike, each step from the first region's start."""
    steps = zip(*(sorted(series.items()) for series in alike), strict=True)
    return {min(start for start, _ in step): step[0][1] for step in steps}


def _statements(key: _Key, place: str, series: _Series) -> Iterator[Statement]:
    dated = sorted(series.items())
    ends = [start for start, _ in dated[1:]]
    for (start, amount), until in zip(dated, [*ends, None], strict=True):
        yield Statement(
            provider="azure", sku=key.sku, region=place, unit=key.unit, amount=amount, service_tier=key.service_tier,
            context_from=key.context_from, context_op=">" if key.context_from else "",
            context_mode="whole_request" if key.context_from else "", effective_from=start, effective_until=until,
            basis="documented", precision="day", url=URL,
        )  # fmt: skip
