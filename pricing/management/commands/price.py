"""What a model costs, with the evidence of each price."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing.answers import BadQuestion, moment
from pricing.answers.prices import Question, price


class Command(BaseCommand):
    """Exit 0 when answered, also with `unknown`; 2 for a question that makes no sense."""

    help = "What a model costs per token, now or at a time, by one provider or by all that sell it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="an id as the provider writes it, an alias, or a model's slug")
        parser.add_argument("--provider", help="only this provider; without it, everybody who sells the model")
        parser.add_argument("--region", help="only this region, such as eu or regional")
        parser.add_argument("--tier", help="only this service tier: standard, batch, flex, priority, fast …")
        parser.add_argument("--context", type=int, help="the price of a request of that many prompt tokens")
        parser.add_argument("--at", help="date (00:00 UTC) or time with its zone; default: now")
        parser.add_argument("--known-at", help="by the evidence of that date or time; default: all evidence")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = price(
                Question(
                    options["model"],
                    options["provider"],
                    options["region"],
                    options["tier"],
                    options["context"],
                    moment(options["at"], "--at") if options["at"] else None,
                    moment(options["known_at"], "--known-at") if options["known_at"] else None,
                )
            )
        except BadQuestion as fault:
            raise CommandError(str(fault), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            self.stdout.write(as_text(answer))


def as_text(answer: dict[str, Any]) -> str:
    """The answer as lines: one offering, then one line a price with its evidence."""
    if not answer["offerings"]:
        return f"{answer['name']}: unknown ({answer['rule']})."
    lines = [f"{answer['name']} at {answer['at']} ({answer['rule']})"]
    for offering in answer["offerings"]:
        region = f" in {offering['region']}" if offering["region"] else ""
        gone = f", retired {offering['retired_at'].removesuffix('T00:00:00Z')}" if offering["retired_at"] else ""
        lines.append(f"\n{offering['provider']} {offering['sku']}{region}: {offering['status']}{gone}")
        lines += [f"  {offering['reason']}"] if offering["reason"] else []
        lines += [_line(price) for price in offering["prices"]]
    return "\n".join(lines)


def _line(price: dict[str, Any]) -> str:
    tier = "" if price["service_tier"] == "standard" else price["service_tier"]
    qualified = [price["unit"], price["qualifier"], tier]
    if price["context_from"]:
        qualified.append(f"{price['context_op']} {price['context_from']:,} tokens")
    if price["schedule"]:
        qualified.append(price["schedule"] + (" (now)" if price["applies"] else ""))
    of = " ".join(filter(None, qualified))
    if price["usd_per_mtok"] is not None:
        amount = f"{price['usd_per_mtok']} USD per Mtok"
        if price["fx"]:
            fx = price["fx"]
            amount += f" ({price['amount']} {price['currency']} at {fx['usd']} USD, {fx['source']} {fx['day']})"
    else:
        amount = f"{price['amount']} {price['currency']} per {price['per']:,}"
    # A start nobody states is stored as the first day tokens were sold, which would mislead a person.
    stated = price["effective_precision"] != "unknown"
    since = f"since {price['effective_from'].removesuffix('T00:00:00Z')}" if stated else "start not stated"
    until = f" until {price['effective_until'].removesuffix('T00:00:00Z')}" if price["effective_until"] else ""
    return f"  {of:<34} {amount:<24} {price['grade']}  {since}{until}  {price['source']} {price['url']}"
