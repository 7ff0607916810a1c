"""The price of constant quality: by which factor a year it falls, and how sure that is."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing.answers import BadQuestion
from pricing.answers.price_index import DEFAULT_LEVEL, RECORD_LOW, Asked, of_rows, price_index
from pricing.constant_quality import ESTIMATORS, UnreadableInputs, read
from pricing.constant_quality.reasoning import CHOICES, IN
from pricing.constant_quality.sellers import RULES


class Command(BaseCommand):
    """Exit 0 when answered, also without a factor; 2 for inputs or a question that make no sense."""

    help = (
        "The factor a year by which the money falls that buys at least a score: of the catalogue's prices and a "
        "benchmark, or of a CSV with the columns model, date, price and score (family, seller, first_party and "
        "withdrawn where known)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        given = parser.add_mutually_exclusive_group(required=True)
        given.add_argument("--benchmark", help="slug of a benchmark, such as arena")
        given.add_argument("--inputs", type=Path, help="a CSV of observations instead of the catalogue")
        parser.add_argument(
            "--score-column", default="", help="of the CSV the column to take as the score, by its name"
        )
        parser.add_argument("--category", help="of the benchmark; default: its first")
        parser.add_argument(
            "--mix", help="tokens of input:output[:cache_read] by which prices are blended; default: 3:1"
        )
        parser.add_argument(
            "--sellers",
            choices=list(RULES),
            help="whose price counts; default: the maker's, else the median of hosts; of the catalogue's live minimum "
            "only the maker's",
        )
        parser.add_argument(
            "--reasoning", choices=CHOICES, help="whether scores reached by reasoning count; default: in"
        )
        parser.add_argument("--threshold", help="the least score that counts; default: every row does")
        parser.add_argument(
            "--estimator",
            choices=sorted(ESTIMATORS),
            default=RECORD_LOW,
            help="successive record lows (the default), or the least one could really pay each month",
        )
        parser.add_argument("--level", default=DEFAULT_LEVEL, help="of the interval, in percent; default: 90")
        parser.add_argument("--from", dest="start", help="the first day that counts; default: all")
        parser.add_argument("--until", help="the first day that no longer counts; default: all")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asked = Asked.of(
                options["threshold"], options["estimator"], options["start"], options["until"], options["level"]
            )
            answer = self._of_file(options, asked) if options["inputs"] else self._of_catalogue(options, asked)
        except BadQuestion as fault:
            raise CommandError(str(fault), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1, allow_nan=False))
            return
        for point in answer["points"]:
            self.stdout.write(_line(point))
        self.stdout.write(_finding(answer))
        self.stdout.write(answer["note"])

    def _of_catalogue(self, options: dict[str, Any], asked: Asked) -> dict[str, Any]:
        if options["score_column"]:
            raise BadQuestion("--score-column is asked of a file: give --inputs, or a --category of the benchmark.")
        return price_index(
            asked,
            options["benchmark"],
            options["category"],
            options["mix"] or "3:1",
            options["sellers"],
            reasoning=options["reasoning"] or IN,
        )

    def _of_file(self, options: dict[str, Any], asked: Asked) -> dict[str, Any]:
        path: Path = options["inputs"]
        if set_aside := [name for name in ("category", "mix", "reasoning") if options[name]]:
            raise BadQuestion(f"--{set_aside[0]} is asked of the catalogue: the rows of a file are blended already.")
        try:
            rows = read(path.read_text("utf-8"), options["score_column"])
        except OSError as fault:
            raise CommandError(f"{path} cannot be read: {fault.strerror}.", returncode=2) from None
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not text in UTF-8: save it as CSV in UTF-8.", returncode=2) from None
        except UnreadableInputs as fault:
            raise CommandError(f"{path}: {fault}", returncode=2) from None
        return of_rows(rows, asked, options["sellers"])


def _line(point: dict[str, Any]) -> str:
    live = f"  ({point['live']} live)" if point["live"] is not None else ""
    return f"{point['date']}  {point['price']:>12} USD per Mtok  {point['model']}{live}"


def _finding(answer: dict[str, Any]) -> str:
    if answer["per_year"] is None:
        return f"No factor from {answer['n']} points."
    found = f"Falls {answer['per_year']:.3g} times a year"
    if answer["per_year"] < 1:
        found = f"Rises {1 / answer['per_year']:.3g} times a year"
    if answer["interval"] is not None:
        low, high = (f"{end:.3g}" if end is not None else "beyond" for end in answer["interval"])
        found += f" ({answer['level']} % interval of the factor of falling: {low} to {high})"
    if answer["halving_months"] is not None:
        found += f", halving in {answer['halving_months']:.3g} months"
    return f"{found}, from {answer['n']} points{' (indicative)' if answer['indicative'] else ''}."
