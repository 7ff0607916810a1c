"""The choices of each filter."""

from collections import Counter
from collections.abc import Sequence

from dashboards.pages.asked import Option
from dashboards.pages.quality.asked import MIXES, Ask, name_of
from dashboards.pages.quality.rows import ScoreRow
from pricing.benchmarks import benchmarks
from pricing.frontier import CHAT_MIX


def options(ask: Ask, scores: Sequence[ScoreRow]) -> dict[str, list[Option]]:
    """The choices of each filter as links, the present one marked."""
    makers = Counter(score.maker for score in scores if score.maker)
    efforts = Counter(score.rated.effort for score in scores)
    mix = str(ask.mix)
    return {
        "mix": [
            Option(label, ask.url(mix="" if text == str(CHAT_MIX) else text), mix == text) for text, label in MIXES
        ],
        "category": [
            Option(label, ask.url(category=slug), ask.category == slug)
            for slug, label in benchmarks()[ask.benchmark].CATEGORIES.items()
        ],
        "maker": [
            Option("any", ask.url(maker=""), not ask.maker),
            *(
                Option(name_of(maker), ask.url(maker=maker), ask.maker == maker, str(makers[maker]))
                for maker in sorted(makers, key=lambda maker: name_of(maker).lower())
            ),
        ],
        "weights": [
            Option("any", ask.url(weights=""), not ask.weights),
            Option("open", ask.url(weights="open"), bool(ask.weights)),
        ],
        "effort": [
            Option("any", ask.url(effort=""), not ask.effort),
            *(
                Option(effort or "none stated", ask.url(effort=effort or "none"), ask.effort == (effort or "none"),
                       str(efforts[effort]))
                for effort in sorted(efforts)
            ),
        ],
    }  # fmt: skip
