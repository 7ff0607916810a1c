"""Which model a name in an evaluation means: a person's decision, else the one resolver, else the weights it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from pricing import names
from pricing.matching import identify
from pricing.models import LanguageModel
from usage.models import EvaluatedName, Organisation

DECIDED = "decided by a person"
UNRESOLVED = "unresolved"
_EFFORT = re.compile(r"-(minimal|low|medium|high|xhigh)(?:-\d{4}-?\d{2}-?\d{2})?$")


@dataclass(frozen=True, slots=True)
class Asked:
    """A name as a run has it: as written, who sells it ('' not told), the name the resolver takes, effort, day."""

    raw_name: str
    seller: str
    name: str
    effort: str
    ran_on: date | None


@dataclass(frozen=True, slots=True)
class Meant:
    """The model (None: none that is known), its effort, and the rule that says so."""

    model: LanguageModel | None
    effort: str
    rule: str


def meanings(organisation: Organisation, asked: Iterable[Asked]) -> dict[Asked, Meant]:
    """What each name means; never a guess. Three queries, whatever the number of names."""
    wanted = list(dict.fromkeys(asked))
    decided = {
        one.raw_name: one
        for one in EvaluatedName.objects.filter(
            organisation=organisation, raw_name__in=[one.raw_name for one in wanted]
        ).select_related("model")
    }
    found = {one: _looked_up(one) for one in wanted if one.raw_name not in decided}
    by_slug = LanguageModel.objects.filter(slug__in={slug for slug, _, _, _ in found.values() if slug}).in_bulk(
        field_name="slug"
    )
    by_key = LanguageModel.objects.filter(key__in={key for _, key, _, _ in found.values() if key}).in_bulk(
        field_name="key"
    )
    told: dict[Asked, Meant] = {}
    for one in wanted:
        if decision := decided.get(one.raw_name):
            told[one] = Meant(decision.model, decision.effort or one.effort, DECIDED)
            continue
        slug, key, effort, rule = found[one]
        model = by_slug.get(slug)
        if model is None and key in by_key:
            model, rule = by_key[key], "the weights of that name"
        told[one] = Meant(model, one.effort or (effort if model else ""), (rule if model else UNRESOLVED)[:200])
    return told


def _looked_up(asked: Asked) -> tuple[str, str, str, str]:
    """The slug of the model the resolver finds, the key of the weights the name may be, an effort in it, the rule."""
    at = datetime.combine(asked.ran_on, time.min, UTC) if asked.ran_on else None
    name = asked.name or asked.raw_name
    match = names.resolver().resolve(name, asked.seller or None, at)
    if match.resolved:
        suffix = _EFFORT.search(name.lower()) if "effort suffix" in match.rule else None
        return match.model_slug, "", suffix[1] if suffix else "", match.rule
    identity = identify("huggingface", name)
    return "", identity.key if identity.maker else "", "", match.rule
