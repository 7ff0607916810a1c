"""How a value reads: pure functions from plain values to text, after docs/look.md, "Numbers".

Money goes in as Decimal and is never a float. Nothing here returns HTML; `templatetags/ratecard.py`
does that. None is unknown and must be caught before: a function here never turns it into 0 or ''.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Literal

MINUS = "−"
EN_DASH = "–"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "CN¥", "JPY": "¥", "INR": "₹"}
CENT = Decimal("0.01")
MTOK = Decimal(1_000_000)
_SCALES = ((Decimal(10**9), "bn"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """Half away from zero, as the ledger rounds."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _decimals(amount: Decimal) -> int:
    """Decimals that carry something: 0.150 has 2, 2 has 0."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _signed(amount: Decimal, digits: str, currency: str) -> str:
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{MINUS if amount < 0 else ''}{symbol}{digits}"


# Prices, per Mtok unless the page says otherwise


def price_decimals(amount: Decimal) -> int:
    """The vendor's own decimals: at least 2, up to 4, and more only to keep two digits of a tiny price."""
    least_for_two_digits = 1 - amount.adjusted() if amount else 2
    return max(2, min(_decimals(amount), max(4, least_for_two_digits)))


def decimals_of(amounts: Sequence[Decimal | None]) -> int:
    """The decimals a column of prices is aligned on; unknown prices ask for none."""
    return max((price_decimals(amount) for amount in amounts if amount is not None), default=2)


def price(amount: Decimal, currency: str = "USD") -> str:
    """A price as its vendor lists it: `$2.00`, `$0.435`, `$0.0028`."""
    return _signed(amount, f"{abs(rounded(amount, price_decimals(amount))):,}", currency)


def significant(amount: Decimal, digits: int = 3) -> Decimal:
    """Rounded to significant digits, never coarser than a cent, without idle zeros beyond 2 decimals."""
    if not amount:
        return Decimal("0.00")
    kept = rounded(amount, max(2, digits - 1 - amount.adjusted()))
    return rounded(kept, max(2, _decimals(kept)))


def derived_price(amount: Decimal, currency: str = "USD") -> str:
    """A price we worked out (blended, average paid): 3 significant digits, `$0.659`, `$4.00`."""
    return _signed(amount, f"{abs(significant(amount)):,}", currency)


# Money


def money(amount: Decimal, currency: str = "USD") -> str:
    """To the cent, for tables: `$11,253.85`. Less than half a cent says so instead of reading as nothing."""
    shown = rounded(amount, 2)
    if amount and not shown:
        return f"<{_signed(CENT, '0.01', currency)}" if amount > 0 else f">{_signed(-CENT, '0.01', currency)}"
    return _signed(shown, f"{abs(shown):,}", currency)


def money_in_prose(amount: Decimal, currency: str = "USD") -> str:
    """For sentences: `$11,254`, below a thousand to the cent."""
    if abs(rounded(amount, 2)) < 1000:
        return money(amount, currency)
    return _signed(amount, f"{abs(rounded(amount, 0)):,}", currency)


def signed_money(amount: Decimal, currency: str = "USD") -> str:
    """A difference: `+$524.40`, `−$115.75`, `$0.00`."""
    return f"+{money(amount, currency)}" if amount > 0 else money(amount, currency)


def _scaled(amount: Decimal, scale: Decimal, unit: str) -> str:
    if not unit:
        return f"{abs(rounded(amount, 0)):,}"
    return f"{abs(rounded(amount / scale, 1)):,}{unit}"


def _scale_for(amount: Decimal) -> tuple[Decimal, str]:
    # 999.95 is where one decimal would round up into the next unit.
    for scale, unit in _SCALES:
        if abs(amount) >= scale * Decimal("0.99995"):
            return scale, unit
    return Decimal(1), ""


def short_money(amount: Decimal, currency: str = "USD") -> str:
    """For tiles and ranges: `$46.1k`, `$1.2M`, `$940`."""
    return _signed(amount, _scaled(amount, *_scale_for(amount)), currency)


def money_range(low: Decimal, high: Decimal, per: str = "", currency: str = "USD") -> str:
    """Lowest to highest with the unit once: `$7.4k–11.1k/month`; equal ends read as one figure."""
    low, high = sorted((low, high))
    scale, unit = _scale_for(max(low, high, key=abs))
    start, end = _scaled(low, scale, unit), _scaled(high, scale, unit)
    ending = f"/{per}" if per else ""
    first = _signed(low, start, currency)
    if (low < 0) != (high < 0):
        return f"{first} to {_signed(high, end, currency)}{ending}"
    return f"{first}{ending}" if start == end else f"{first}{EN_DASH}{end}{ending}"


def add_up(parts: Sequence[Decimal], decimals: int = 2) -> list[Decimal]:
    """The parts rounded so that they sum to the rounded total: largest remainder, first come on a tie."""
    step = Decimal(1).scaleb(-decimals)
    down = [part.quantize(step, ROUND_DOWN) for part in parts]
    missing = int((rounded(sum(parts, Decimal(0)), decimals) - sum(down, Decimal(0))) / step)
    sign = 1 if missing >= 0 else -1
    order = sorted(range(len(parts)), key=lambda i: (sign * (down[i] - parts[i]), i))
    for i in order[: abs(missing)]:
        down[i] += sign * step
    return down


# Quantities


def mtok(tokens: int | Decimal, decimals: int | None = None) -> str:
    """Tokens in millions: `17,086`, `112`, `28.4`, `3.21`, `0.045`, `0`; `<0.001` for fewer than 500."""
    value = Decimal(tokens) / MTOK
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100 or not size else 1 if size >= 10 else 2 if size >= 1 else 3
    shown = rounded(value, decimals)
    if value and not shown:
        return f"<{Decimal(1).scaleb(-decimals)}"
    return f"{MINUS if shown < 0 else ''}{abs(shown):,}"


def count(number: int) -> str:
    return f"{MINUS if number < 0 else ''}{abs(number):,}"


def seconds(time: Decimal) -> str:
    """`4.2 s`, from ten on `39 s`."""
    return f"{rounded(time, 1) if time < 10 else count(int(rounded(time, 0)))} s"


def share(part: Decimal | int, whole: Decimal | int) -> str:
    """Per cent to 1 decimal: `99.3%`. Neither 0 nor 100 is written unless it is exactly that."""
    if not whole:
        return "–"
    ratio = Decimal(part) / Decimal(whole) * 100
    shown = rounded(ratio, 1)
    if ratio and not shown:
        return "<0.1%"
    if shown == 100 and ratio < 100:
        return ">99.9%"
    return f"{MINUS if shown < 0 else ''}{abs(shown):,}%"


def multiple(ratio: Decimal) -> str:
    """`5.3×`, `12×`, `1,200×`."""
    decimals = 1 if abs(rounded(ratio, 1)) < 10 else 0
    return f"{rounded(ratio, decimals):,}×"


def rating(score: Decimal, low: Decimal | None = None, high: Decimal | None = None, decimals: int = 0) -> str:
    """`1496 (1492–1501)`; without an interval only the score. No thousands comma, as ratings are names."""
    text = f"{rounded(score, decimals)}"
    if low is None or high is None:
        return text
    return f"{text} ({rounded(low, decimals)}{EN_DASH}{rounded(high, decimals)})"


@dataclass(frozen=True)
class Change:
    """A change in words: `direction` picks the triangle, `text` carries the sign."""

    direction: Literal["up", "down", "flat", "new", "unknown"]
    text: str

    @property
    def spoken(self) -> str:
        """What stands for the triangle where it cannot be seen."""
        return f"{self.direction} " if self.direction in {"up", "down"} else ""


def change(now: Decimal | None, before: Decimal | None) -> Change:
    """How far `now` is above `before`: `+3.2%`, `−25.0%`, `0.0%` below 0.05 %, `new` from nothing."""
    if now is None or before is None:
        return Change("unknown", "unknown")
    if not before:
        return Change("new", "new") if now else Change("flat", "0.0%")
    per_cent = rounded((now - before) / abs(before) * 100, 1)
    if not per_cent:
        return Change("flat", "0.0%")
    sign, direction = ("+", "up") if per_cent > 0 else (MINUS, "down")
    return Change(direction, f"{sign}{abs(per_cent):,}%")  # type: ignore[arg-type]


# Times


def day(value: date | datetime, zone: tzinfo | None = None) -> str:
    """`16 Nov 2026`, an instant in the reader's zone."""
    local = value.astimezone(zone) if isinstance(value, datetime) else value
    return f"{local.day} {local:%b %Y}"


def moment(value: datetime, zone: tzinfo | None = None) -> str:
    """`16 Nov 2026, 07:02` in the reader's zone."""
    return f"{day(value, zone)}, {value.astimezone(zone):%H:%M}"


def period(start: date, until: date) -> str:
    """A half-open span of days by its first and last day: `9–15 Nov 2026`, `28 Dec 2026–3 Jan 2027`."""
    last = until - timedelta(days=1)
    if last <= start:
        return day(start)
    if start.year != last.year:
        return f"{day(start)}{EN_DASH}{day(last)}"
    if start.month != last.month:
        return f"{start.day} {start:%b}{EN_DASH}{day(last)}"
    return f"{start.day}{EN_DASH}{day(last)}"


def ago(value: datetime, now: datetime) -> str:
    """How old something is, in the largest whole unit: `today`, `2 days old`, `5 weeks old`."""
    days = (now - value).days
    if days < 1:
        return "today"
    for length, unit in ((365, "year"), (60, "month"), (14, "week"), (1, "day")):
        if days >= length:
            n = days // {"year": 365, "month": 30, "week": 7, "day": 1}[unit]
            return f"{n} {unit}{'' if n == 1 else 's'} old"
    raise AssertionError


# Geometry of the small pictures; SVG lengths, so plain numbers


def coverage_width(known: Decimal) -> Decimal:
    """Per cent of the coverage rule that is blue; a gap is at least 2 % wide so that it is seen."""
    per_cent = min(max(known, Decimal(0)), Decimal(1)) * 100
    if per_cent == 100:
        return per_cent
    return rounded(min(per_cent, Decimal(98)), 1)


def sparkline(
    values: Sequence[float | Decimal | None], width: int = 84, height: int = 22
) -> list[list[tuple[float, float]]]:
    """Lines through the values, lowest 3 above the foot, broken where a value is unknown."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return []
    low, span = min(known), (max(known) - min(known)) or 1.0
    step = (width - 4) / max(1, len(values) - 1)
    lines: list[list[tuple[float, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            lines.append([])
            continue
        y = height - 3 - (float(value) - low) / span * (height - 6)
        lines[-1].append((round(2 + i * step, 1), round(y, 1)))
    return [line for line in lines if line]
