"""The same weights at another seller, or at the same one in another region. Pure."""

from __future__ import annotations

from dataclasses import replace

from pricing.noninferiority import Verdict
from usage.advice import Caution, Evidence, Kind, Range, Reason, Recommendation, Refused, Step
from usage.substitution.describing import cautions, changes, cost_lines
from usage.substitution.needs import observed
from usage.substitution.offers import WAITING, Candidate, best_tier, start_of
from usage.substitution.repricing import SAME, Repriced, monthly, reprice
from usage.substitution.setting import Baseline, Setting
from usage.substitution.shortlisting import refusal, resold
from usage.substitution.weighing import announced, saving_of, steps_of
from usage.substitution.wording import money, span

SAME_WEIGHTS = Evidence(
    "weights", "The same weights", "", Verdict.EQUAL, None, None, None, 0.0, decides=True,
    note="The catalogue knows both as one model, so no evaluation is needed; how it is served may still differ.",
)  # fmt: skip


def elsewhere(base: Baseline, seller: Candidate, setting: Setting) -> Recommendation | Refused | None:
    """The move to another seller; None where it costs no less, or is the seller in use."""
    moment = start_of(setting.on)
    offer = best_tier(seller, base.offer.side.service_tier, moment).at(effort=base.offer.side.effort)
    if offer.side.offering_id == base.offer.side.offering_id or _waits(offer, base.offer):
        return None
    priced = reprice(base.sliced, offer, moment, SAME, base.offer)
    if priced.cost is None:
        return Refused(base.offer.side, offer.side, Reason.UNPRICED, "No source says what it costs.")
    saving = saving_of(base.paying, priced, setting.days)
    if saving.high <= 0:
        return None
    steps = steps_of(base, offer, setting, priced, SAME)
    against = (
        resold(offer, setting)
        # What its usage shows that the model does, the same weights do, whatever the catalogue knows of them.
        or refusal(offer, setting, observed(setting.needs, replace(base.sliced.use, marks=frozenset())))
        or _uncertain(saving, setting)
        or announced(steps, offer, setting)
    )
    if against is not None:
        return Refused(base.offer.side, offer.side, *against, saving)
    return _move(base, offer, setting, priced, steps)


def _uncertain(saving: Range, setting: Setting) -> tuple[Reason, str] | None:
    if saving.low > 0:
        return None
    return Reason.NOT_CHEAPER, f"It saves {span(saving, setting.currency)} a month: it may cost more."


def _move(
    base: Baseline, offer: Candidate, setting: Setting, priced: Repriced, steps: tuple[Step, ...]
) -> Recommendation:
    saving, paying = steps[0].saving, monthly(base.paying, setting.days)
    terms = "at the prices of your contract" if offer.is_contracted else "at list price"
    return Recommendation(
        Kind.COMMITMENT if offer.is_contracted else Kind.SELLER,
        base.offer.side, offer.side, Verdict.EQUAL, paying, saving,
        f"The same weights at {offer.side.provider_name} save {span(saving, setting.currency)} of "
        f"{money(paying, setting.currency)} a month, {terms}, on the same tokens.",
        evidence=(SAME_WEIGHTS,),
        lines=cost_lines(base.priced, priced),
        changes=changes(base.offer, offer, start_of(setting.on)),
        cautions=(*_precision(base.offer, offer), *cautions(base, offer, setting, priced, steps, ())),
        steps=steps,
    )  # fmt: skip


def _waits(offer: Candidate, current: Candidate) -> bool:
    """Whether an id is a batch of its own and what is in use does not wait: another tier, and not only a seller."""
    return offer.is_batch_id and not (current.is_batch_id or current.side.service_tier in WAITING)


def _precision(current: Candidate, offer: Candidate) -> list[Caution]:
    now, then = current.quantisation, offer.quantisation
    if now and then and now != then:
        text = f"{then} where it is {now} today: the weights are rounded otherwise, and answers may differ."
        return [Caution("doubt", "Another quantisation", text)]
    return []
