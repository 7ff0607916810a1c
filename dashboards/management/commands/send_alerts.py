"""Look for what somebody should hear of, and tell them: `send_alerts [--dry-run]`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dashboards import alerts, webhooks
from dashboards.models import Alert
from usage import organisations
from usage.models import Organisation
from usage.organisations import UnknownOrganisation


class Command(BaseCommand):
    help = "Keep the alerts of an organisation, and send what is due by mail and webhook."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", help="its slug; by default the only one")
        parser.add_argument("--dry-run", action="store_true", help="say what is so, keep and send nothing")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = organisations.chosen(options["organisation"])
        except UnknownOrganisation as fault:
            raise CommandError(str(fault), returncode=2) from None
        told = self._dry(organisation) if options["dry_run"] else self._sent(organisation)
        self.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) if options["json"] else _lines(told))

    def _dry(self, organisation: Organisation) -> dict[str, Any]:
        now = timezone.now()
        standing = set(Alert.objects.open().filter(organisation=organisation).values_list("key", flat=True))
        facts = [(fact, _words(fact, organisation)) for fact in alerts.facts_of(organisation, now)]
        return {"organisation": organisation.slug, "facts": [
            {"key": fact.key, "kind": fact.kind, "title": words[0], "text": words[1], "new": fact.key not in standing}
            for fact, words in facts
        ]}  # fmt: skip

    def _sent(self, organisation: Organisation) -> dict[str, Any]:
        outcome = alerts.watch(organisation, timezone.now())
        delivered = webhooks.deliver_due()
        return {
            "organisation": organisation.slug, "facts": outcome.facts, "opened": [one.key for one in outcome.opened],
            "mails": len(outcome.mails), "delivered": delivered,
        }  # fmt: skip


def _words(fact: alerts.Fact, organisation: Organisation) -> tuple[str, str]:
    today, currency = timezone.now().date(), organisation.display_currency
    said = alerts.told(fact.kind, fact.data, fact.parts, fact.is_whole, currency, None, today)
    return (said.title, said.text) if said else ("", "")


def _lines(told: dict[str, Any]) -> str:
    facts = told["facts"]
    if isinstance(facts, int):
        opened = "".join(f"\n  {key}" for key in told["opened"])
        return (
            f"Facts: {facts}, new: {len(told['opened'])}; mails kept: {told['mails']}; "
            f"delivered to the webhook: {told['delivered']}.{opened}"
        )
    if not facts:
        return "Nothing that anybody should hear of."
    return "\n\n".join(f"{'new' if one['new'] else 'told'}: {one['title']}\n  {one['text']}" for one in facts)
