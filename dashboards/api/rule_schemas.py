"""The shapes of attribution rules: as programs and files write them, and as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from usage.attribution import OPS

MOST_CONDITIONS = MOST_SHARES = 30
"""As many rows as the editor of a rule has: it would lose what is more."""
MOST_RULES = 1_000
LONGEST = 1_000
MOST_VALUES = 1_000


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL, and UTF-8 no half of a sign."""
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("It holds a sign that no text has: leave it out.")
    return text


def _named(text: str) -> str:
    if not text.strip():
        raise ValueError("Write a name, such as “Keys of the search team”.")
    return _storable(text.strip())


def _comparable(value: Any) -> Any:
    texts = value if isinstance(value, list) else [value]
    if len(texts) > MOST_VALUES:
        raise ValueError(f"It lists more than {MOST_VALUES:,} texts: write several rules.")
    for text in texts:
        if isinstance(text, str):
            _storable(text)
            if len(text) > LONGEST:
                raise ValueError(f"It holds more than {LONGEST:,} characters: no field is longer.")
    return value


Text = Annotated[str, Field(max_length=LONGEST), AfterValidator(_storable)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_named)]
Value = Annotated[
    Any,
    AfterValidator(_comparable),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}],
            "description": "A list of texts for `in`, nothing for `is_empty`, else a text.",
        }
    ),
]


class Condition(Schema):
    """`field` passes `op`, or does not where `not` is true. docs/attribution.md lists fields and comparisons."""

    model_config = ConfigDict(extra="forbid")

    field: Text = Field(description="Such as ext_api_key, or tag:KEY.")
    op: Text = Field(description=f"One of {', '.join(OPS)}.")
    value: Value = None
    is_not: bool = Field(False, alias="not")

    def kept(self) -> dict[str, Any]:
        """As the ledger keeps it: without what says nothing."""
        found: dict[str, Any] = {"field": self.field, "op": self.op}
        if self.op != "is_empty":
            found["value"] = self.value
        return found | ({"not": True} if self.is_not else {})


class Share(Schema):
    """A project and its part of the usage."""

    model_config = ConfigDict(extra="forbid")

    project: Text = Field(description="Its slug.")
    weight: Text = Field("1", description="A decimal string above 0; all of them sum to exactly 1.")


class Feed(Schema):
    """An importer, one feed of it by its scope, or one connection by its number."""

    model_config = ConfigDict(extra="forbid")

    importer: Text | None = None
    scope: Text | None = None
    connection: int | None = None


class ByTokens(Schema):
    """The projects of another feed's tokens, day by day."""

    model_config = ConfigDict(extra="forbid")

    by_tokens_of: Feed


def _shape(outcome: Any) -> str | None:
    if isinstance(outcome, list):
        return "many"
    return "one" if isinstance(outcome, Mapping | ByTokens) else None


Outcome = Annotated[
    Annotated[list[Share], Field(max_length=MOST_SHARES), Tag("many")] | Annotated[ByTokens, Tag("one")],
    Discriminator(
        _shape,
        custom_error_type="outcome",
        custom_error_message="Write a list of projects with weights, empty for nobody, or by_tokens_of.",
    ),
]
Conditions = Annotated[list[Condition], Field(max_length=MOST_CONDITIONS, description="All must hold; none: always.")]
Day = Annotated[date | None, Field(description="A UTC day, such as 2026-08-23; null: no end.")]


class RuleText(Schema):
    """One rule as it is written."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    conditions: Conditions
    outcome: Outcome
    valid_from: Day = Field(None, alias="from")
    valid_until: Day = Field(None, alias="until")
    enabled: bool = True


class NewRule(RuleText):
    position: int | None = Field(None, ge=1, description="Its place, 1 for the rule asked first; default: last.")


class RuleChange(Schema):
    """What is to be otherwise; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    conditions: Conditions = []
    outcome: Outcome = []
    valid_from: Day = Field(None, alias="from")
    valid_until: Day = Field(None, alias="until")
    enabled: bool = True
    position: int = Field(1, ge=1, description="The place it is asked in, 1 for the rule asked first.")


class RuleTexts(Schema):
    """All rules of an organisation in the order they are asked; each has a name of its own."""

    model_config = ConfigDict(extra="forbid")

    rules: list[RuleText] = Field(max_length=MOST_RULES)


class RuleAnswer(Schema):
    id: int | None = Field(description="null in a dry run that makes it.")
    version: int = Field(description="Greater after each change of what it decides.")
    position: int = Field(description="Its place: 1 is asked first.")
    name: str
    enabled: bool
    conditions: list[Condition]
    outcome: list[Share] | ByTokens
    valid_from: str | None = Field(alias="from")
    valid_until: str | None = Field(alias="until")


class RulesAnswer(Schema):
    organisation: str
    rules: list[RuleAnswer]


class Move(Schema):
    """What goes from one project to another in a month; null is unattributed."""

    month: str
    source: str | None = Field(alias="from")
    target: str | None = Field(alias="to")
    currency: str
    spent: str | None = Field(description="Null of what has no price, as `list`.")
    list: str | None
    records: int


class CaughtUsage(Schema):
    """Usage that the rule decides, by what it is told by."""

    usage: dict[str, str]
    records: int
    spent: str | None = Field(description="In the currency of the organisation; null where nothing of it is known.")
    unknown_records: int = Field(description="Without a price, or a rate for it: in no sum.")
    last: str


class HeldRule(Schema):
    """An earlier rule that decides usage which the conditions hold for too."""

    id: int
    name: str
    dimensions: int


class PreviewAnswer(Schema):
    """What a change moves, exactly. Money that moves is what was spent, and its list price."""

    moves: list[Move]
    dimensions: int = Field(description="Combinations of key, project, model … that change hands.")
    records: int
    closed_months: list[str] = Field(description="Closed: their official figures stay, the difference is pending.")
    caught: list[CaughtUsage] = Field(description="What the rule decides then, the dearest first.")
    caught_dimensions: int
    caught_records: int
    caught_spent: str | None
    caught_unknown_records: int
    held: list[HeldRule]


class ListChange(Schema):
    change: str = Field(description="made, changed, removed or ordered.")
    name: str = Field(description="The rule; '' where the order changed.")


class RuleChanged(Schema):
    dry_run: bool = Field(description="True: nothing was changed.")
    changes: list[ListChange]
    rule: RuleAnswer = Field(description="As it is after the change; one that is removed, as it was.")
    preview: PreviewAnswer | None = Field(description="What would move; null where it has moved.")


class RulesChanged(Schema):
    dry_run: bool
    changes: list[ListChange]
    rules: list[RuleAnswer]
    preview: PreviewAnswer | None


class ProjectSchema(Schema):
    slug: str
    name: str
    archived: bool


class ProjectsAnswer(Schema):
    organisation: str
    projects: list[ProjectSchema]
