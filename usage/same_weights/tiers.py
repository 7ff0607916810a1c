"""The same offering at a tier that answers later, or in the hours in which it costs less. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

from pricing.noninferiority import Verdict
from usage.advice import Caution, Kind, Range, Reason, Recommendation, Refused, Step
from usage.same_weights.selling import SAME_WEIGHTS
from usage.substitution.describing import changes, cost_lines, of_steps
from usage.substitution.needs import Unmet
from usage.substitution.offers import WAITING, Candidate, start_of
from usage.substitution.repricing import SAME, Repriced, cheapest_hours, cost_of, monthly, reprice
from usage.substitution.setting import Baseline, Setting
from usage.substitution.shortlisting import refusal
from usage.substitution.weighing import announced, pays, saving_of, saving_then, steps_by, steps_of
from usage.substitution.wording import money, span

TIERS: Final = (Kind.BATCH, Kind.FLEX)
_PRICE_OF: Final = {
    Kind.BATCH: (
        "Answers come within 24 hours",
        "Vendors promise a batch within 24 hours and no order; what is not done by then is cancelled "
        "(https://help.openai.com/en/articles/9197833-batch-api-faq). How much can wait is for you to judge.",
    ),
    Kind.FLEX: (
        "Answers are slower and may be refused",
        "Flex processing answers in the same request, later, and at times not at all for want of room "
        "(https://developers.openai.com/api/docs/guides/flex-processing). How much can wait is for you to judge.",
    ),
}


def cheaper_tier(base: Baseline, kind: Kind, setting: Setting) -> Recommendation | Refused | None:
    """What batch or flex saves if all of it moved; the share that can is for the lead to judge, so it begins at 0."""
    if base.offer.side.service_tier in WAITING or base.offer.is_batch_id:
        return None
    offer, moment = base.offer.at(kind.value), start_of(setting.on)
    if not offer.in_force(moment):
        return None
    priced = reprice(base.sliced, offer, moment, SAME, base.offer)
    if priced.cost is None:
        return None
    saving = saving_of(base.paying, priced, setting.days)
    if saving.low <= 0:
        return None
    why = f"If all of it could wait, {kind.value} would save {span(saving, setting.currency)}"
    steps = steps_of(base, offer, setting, priced, SAME)
    return up_to(base, offer, kind, steps, why, priced, (Caution("", *_PRICE_OF[kind]),), setting)


def off_peak(base: Baseline, setting: Setting) -> Recommendation | Refused | None:
    """What is saved if all that is asked in dear hours were asked in the cheapest ones."""
    moment = start_of(setting.on)
    found = cheapest_hours(base.sliced, base.offer, moment)
    if found is None or found[0].cost is None or base.priced.cost is None:
        return None
    priced, when = found
    saving = saving_of(base.paying, priced, setting.days)
    if saving.low <= 0:
        return None

    def saving_at(edge: datetime) -> Range | None:
        hours = cheapest_hours(base.sliced, base.offer, edge)
        # Where all hours cost the same by then, it costs what it costs.
        return saving_then(base, hours[0] if hours else cost_of(base.sliced, base.offer, edge), edge, setting)

    why = f"If all that is asked in dear hours were asked {when}, it would save {span(saving, setting.currency)}"
    text = f"The work waits for its hours: {when}. How much of it can wait is for you to judge."
    caution = Caution("", "Answers come in cheap hours only", text)
    steps = steps_by(base, base.offer, setting, saving, saving_at)
    return up_to(base, base.offer, Kind.OFF_PEAK, steps, why, priced, (caution,), setting)


def up_to(
    base: Baseline, offer: Candidate, kind: Kind, steps: tuple[Step, ...], why: str, priced: Repriced | None,
    told: tuple[Caution, ...], setting: Setting, is_worth: Callable[[Range], bool] = pays,
) -> Recommendation | Refused:  # fmt: skip
    """A move that a part of the traffic may follow: from nothing to all of it. `steps` are what all of it saves, today
    and from each announced price on; where that is not worth it soon, or what it is speaks against it, it is refused.
    """
    saving = steps[0].saving
    against = _against(offer, setting) or announced(steps, offer, setting, is_worth)
    if against is not None:
        return Refused(base.offer.side, offer.side, *against, _from_none(saving))
    paying = monthly(base.paying, setting.days)
    moment = start_of(setting.on)
    parts = tuple(Step(one.on, _from_none(one.saving)) for one in steps)
    return Recommendation(
        kind, base.offer.side, offer.side, Verdict.EQUAL, paying, parts[0].saving,
        f"{why} of {money(paying, setting.currency)} a month.",
        evidence=(SAME_WEIGHTS,),
        lines=cost_lines(base.priced, priced) if priced else (),
        changes=changes(base.offer, offer, moment) if offer.side != base.offer.side else (),
        cautions=(*of_steps(steps, offer, setting), *told),
        steps=parts,
    )  # fmt: skip


def _from_none(saving: Range) -> Range:
    return Range(min(saving.low, Decimal(0)), saving.high)


def _against(offer: Candidate, setting: Setting) -> Unmet | None:
    """What the offer is and what the project declares that it needs. What nobody states of it is shown by its use:
    the same offering does the work today."""
    found = refusal(offer, setting, setting.needs)
    return None if found and found[0] is Reason.UNKNOWN else found
