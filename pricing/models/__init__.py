"""The price catalogue: who sells which model, at what price, since when, and how we know.

Three times run through it. *Effective* [from, until): when a price held in the world. *Known* [from, until): from when
its evidence existed until better evidence did. *Recorded*: when the row entered this database. A change appends, a
correction supersedes, nothing is deleted.
"""

from pricing.models.evidence import (
    Basis,
    Claim,
    Decision,
    Disagreement,
    HolidayCalendar,
    NameDecision,
    Precision,
    PriceKey,
    PriceSource,
    Snapshot,
    SourceRun,
)
from pricing.models.prices import (
    ExchangeRate,
    Price,
    PriceEvent,
    RateCard,
    ReadyAnswer,
    TsTzRange,
)
from pricing.models.quality import (
    Benchmark,
    BenchmarkFetch,
    GpuRate,
    Score,
    SpeedSample,
)
from pricing.models.sellers import (
    Alias,
    LanguageModel,
    Offering,
    Provider,
)

__all__ = [
    "Alias",
    "Basis",
    "Benchmark",
    "BenchmarkFetch",
    "Claim",
    "Decision",
    "Disagreement",
    "ExchangeRate",
    "GpuRate",
    "HolidayCalendar",
    "LanguageModel",
    "NameDecision",
    "Offering",
    "Precision",
    "Price",
    "PriceEvent",
    "PriceKey",
    "PriceSource",
    "Provider",
    "RateCard",
    "ReadyAnswer",
    "Score",
    "Snapshot",
    "SourceRun",
    "SpeedSample",
    "TsTzRange",
]
