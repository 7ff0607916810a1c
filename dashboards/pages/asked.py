"""What an address asks for: the parts that pages of the catalogue read alike. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from pricing.frontier import CHAT_MIX, Mix

FIRST_DAY = date(2020, 6, 11)
LAST_DAY = date(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a filter: a link in words."""

    label: str
    url: str
    is_current: bool = False
    note: str = ""


def day(text: str, what: str) -> date | None:
    """A day in an address, None where none is asked for; ValueError is a sentence for the reader."""
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{what} needs a day such as 2026-09-01, not “{text[:40]}”.") from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise ValueError(f"{what} needs a day from {FIRST_DAY} on: no token was on sale before.")
    return found


def midnight(asked: date | None) -> datetime | None:
    """The UTC midnight a day in an address stands for."""
    return None if asked is None else datetime.combine(asked, time.min, UTC)


def first_day(begins: datetime) -> date:
    """The first day at whose midnight something that begins then holds."""
    start = begins.astimezone(UTC)
    return start.date() if start.time() == time.min else start.date() + timedelta(days=1)


def address(path: str, values: Mapping[str, object]) -> str:
    """A path with the values that are set, so that defaults never clutter a link."""
    pairs = [(name, str(value)) for name, value in values.items() if value not in {None, ""}]
    return f"{path}?{urlencode(pairs, safe=':')}" if pairs else path


def blend_url(
    slug: str, offering_id: int, mix: Mix, *, at: date | None = None, known_at: date | None = None,
    against: int | None = None,
) -> str:  # fmt: skip
    """The evidence of a blended price: the list prices of an offering it was worked out from, beside another's."""
    state = {"mix": "" if mix == CHAT_MIX else str(mix), "at": at, "known_at": known_at, "against": against}
    return address(f"/models/{slug}/evidence/blend/{offering_id}", state)
