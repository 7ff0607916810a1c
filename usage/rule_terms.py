"""What a rule says, apart from where it stands: to tell whether two rules say the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from usage.attribution import Result, RuleFault, compiled


@dataclass(frozen=True, slots=True)
class Terms:
    """A rule as it is kept: `outcome` as `usage.attribution.Result` has it, conditions without what says nothing."""

    name: str
    conditions: Sequence[Mapping[str, Any]]
    outcome: Result
    valid_from: date | None = None
    valid_until: date | None = None
    enabled: bool = True

    def checked(self) -> Terms:
        """The same; RuleFault says what is wrong with it."""
        compiled(None, 0, self.conditions, self.outcome, self.valid_from, self.valid_until)
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise RuleFault("The rule must end after it begins.")
        return self

    def decides_as(self, other: Terms) -> bool:
        """Whether both give the same usage to the same projects, while they are asked."""
        return self._decision() == other._decision()

    def says_as(self, other: Terms) -> bool:
        """Whether both are one rule in every word."""
        return (self.name, self.enabled) == (other.name, other.enabled) and self.decides_as(other)

    def _decision(self) -> tuple[Any, ...]:
        outcome = self.outcome if isinstance(self.outcome, Mapping) else sorted(map(_share, self.outcome))
        return [_condition(one) for one in self.conditions], outcome, self.valid_from, self.valid_until


def terms_of(rule: Any) -> Terms:
    """What a rule of the database says."""
    return Terms(rule.name, rule.conditions, rule.outcome, rule.valid_from, rule.valid_until, rule.enabled)


def _share(share: Mapping[str, Any]) -> tuple[int, Decimal]:
    return int(share["project"]), Decimal(str(share["weight"]))


def _condition(one: Mapping[str, Any]) -> tuple[Any, ...]:
    value = None if one.get("op") == "is_empty" else one.get("value")
    return one.get("field"), one.get("op"), value, one.get("not") is True
