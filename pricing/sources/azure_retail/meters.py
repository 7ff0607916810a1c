"""What an Azure meter's name means: model, unit, service tier, context tier and deployment scope.

Azure gives a meter no model id. Its name spells, in any order and many abbreviations, the model, the direction and
the scope of the deployment: `gpt 4o 0806 cached Inp Data Zone Tokens`, `gpt-4o-0806-Inp-glbl Tokens`,
`5.6 sol ShortCo Cd Wr PP DZ 1M Tokens`, `gpt4omini-rt-aud1217 cchd Inp DZn Tokens`. Every word of it must be known:
the words of `_ROLES` say the role, and what is left must be a spelling declared in `_OPENAI` or `_OTHERS`. A meter
with any other word, or without one of the roles a price needs, has no meaning here and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where a deployment of the model may process a request: which rows of a meter share one price."""

    GLOBAL = "global"
    DATA_ZONE = "datazone"
    REGIONAL = "regional"


@dataclass(frozen=True, slots=True)
class Meter:
    """What one meter prices. Two skus where Azure bills two models on one meter."""

    skus: tuple[str, ...]
    unit: str
    service_tier: str
    context_from: int
    scope: Scope


_ROLES: Mapping[str, str] = {
    word: role
    for role, words in {
        Scope.GLOBAL: "gl glbl glb global",
        Scope.DATA_ZONE: "dz dzn dzone datazone",
        Scope.REGIONAL: "rg rgnl regnl regn regional",
        "input": "inp inpt input in",
        "output": "outp outpt output opt out",
        "cached": "cd cchd cached ccchd cched cache ch",
        "write": "wr",
        "audio": "aud audio",
        "image": "img image",
        "text": "txt text",
        "batch": "batch",
        "priority": "pp",
        "standard": "std",
        "long": "longco l",
        "short": "shortco",
        "fine-tuned": "ft",
        "developer tier": "dev",
        "training": "training trng rft",
        "hosting": "hosting hstng",
        "grader": "grader grdr",
        "provisioned": "provisioned",
        "tokens": "tokens tkn",
        "millions": "1m",
    }.items()
    for word in words.split()
}

_COUNTED = (
    # Roles that make a meter no price per token of a model: the first that is present names the count.
    "provisioned", "training", "hosting", "grader", "developer tier",
)  # fmt: skip

_OPENAI: Mapping[str, str] = {
    # The words left of a meter's name → the id Azure's API answers with. Dated where the meter names the version.
    # The audio, image and text of a name are roles, so `gpt-4o-aud-1217` is spelled `gpt 4o 1217` here.
    "gpt 35 turbo 16k 0125": "gpt-35-turbo-0125",
    "gpt 35 trb 16k 125": "gpt-35-turbo-0125",
    "gpt 35 turbo 16k 1106": "gpt-35-turbo-1106",
    "gpt 35 turbo 16k": "gpt-35-turbo-16k",
    "gpt 35 turbo instruct": "gpt-35-turbo-instruct",
    "gpt 4 8k": "gpt-4",
    "gpt 4 32k": "gpt-4-32k",
    "gpt 4 turbo 128k": "gpt-4-turbo",
    "gpt 4 turbo vision 128k": "gpt-4-turbo-vision-preview",
    "gpt 4o 0513": "gpt-4o-2024-05-13",
    "gpt 4o 0806": "gpt-4o-2024-08-06",
    "4o 0806": "gpt-4o-2024-08-06",
    "gpt 4o 1120": "gpt-4o-2024-11-20",
    "gpt 4o mini 0718": "gpt-4o-mini-2024-07-18",
    "4o mini 0718": "gpt-4o-mini-2024-07-18",
    "gpt 4.1": "gpt-4.1",
    "4.1": "gpt-4.1",
    "gpt 4.1 mini": "gpt-4.1-mini",
    "4.1 mini": "gpt-4.1-mini",
    "gpt 4.1 nano": "gpt-4.1-nano",
    "4.1 nano": "gpt-4.1-nano",
    "gpt 4.5 0227": "gpt-4.5-preview-2025-02-27",
    "gpt 5": "gpt-5",
    "5": "gpt-5",
    "gpt 5 mini": "gpt-5-mini",
    "5 mini": "gpt-5-mini",
    "gpt 5 nano": "gpt-5-nano",
    "gpt 5 chat": "gpt-5-chat",
    "gpt 5 pro": "gpt-5-pro",
    "gpt 5 codex": "gpt-5-codex",
    "gpt 5.1": "gpt-5.1",
    "5.1": "gpt-5.1",
    "gpt 5.1 chat": "gpt-5.1-chat",
    "5.1 codex": "gpt-5.1-codex",
    "5.1 codex mini": "gpt-5.1-codex-mini",
    "5.1 codex max": "gpt-5.1-codex-max",
    "gpt 5.2": "gpt-5.2",
    "5.2": "gpt-5.2",
    "gpt 5.2 chat": "gpt-5.2-chat",
    "5.2 chat 0210": "gpt-5.2-chat-2026-02-10",
    "5.2 codex": "gpt-5.2-codex",
    "gpt 5.2 pro": "gpt-5.2-pro",
    "5.3 chat": "gpt-5.3-chat",
    "5.3 codex": "gpt-5.3-codex",
    "5.4": "gpt-5.4",
    "5.4 mini": "gpt-5.4-mini",
    "5.4 nano": "gpt-5.4-nano",
    "5.4 pro": "gpt-5.4-pro",
    "5.5": "gpt-5.5",
    "5.6 luna": "gpt-5.6-luna",
    "5.6 sol": "gpt-5.6-sol",
    "5.6 terra": "gpt-5.6-terra",
    "o1": "o1-2024-12-17",
    "o1 1217": "o1-2024-12-17",
    "o1 mini": "o1-mini-2024-09-12",
    "o1 preview": "o1-preview-2024-09-12",
    "o1 pro": "o1-pro",
    "o3 0416": "o3-2025-04-16",
    "o3 mini": "o3-mini-2025-01-31",
    "o3 mini 0131": "o3-mini-2025-01-31",
    "o3 pro": "o3-pro",
    "o3 deep research 0626": "o3-deep-research-2025-06-26",
    "o4 mini": "o4-mini-2025-04-16",
    "o4 mini 0416": "o4-mini-2025-04-16",
    "codex mini": "codex-mini",
    "computer use": "computer-use-preview",
    "embedding ada": "text-embedding-ada-002",
    "embedding 3 large": "text-embedding-3-large",
    "embedding 3 small": "text-embedding-3-small",
    "gpt 4o 1217": "gpt-4o-audio-preview-2024-12-17",
    "gpt 4o 0603": "gpt-4o-audio-preview-2025-06-03",
    "gpt 4o mini 1217": "gpt-4o-mini-audio-preview-2024-12-17",
    "gpt 0828": "gpt-audio-2025-08-28",
    "gpt 1.5": "gpt-audio-1.5",
    "gpt mini": "gpt-audio-mini",
    "gpt mn 1215": "gpt-audio-mini-2025-12-15",
    "gpt 4o realtime": "gpt-4o-realtime-preview-2024-10-01",
    "gpt 4o realtime prvw": "gpt-4o-realtime-preview-2024-10-01",
    "gpt 4o rtime": "gpt-4o-realtime-preview-2024-10-01",
    "gpt 4o rt 1217": "gpt-4o-realtime-preview-2024-12-17",
    "gpt 4o rt 0603": "gpt-4o-realtime-preview-2025-06-03",
    "gpt 4o mini rt 1217": "gpt-4o-mini-realtime-preview-2024-12-17",
    "gpt rt 0828": "gpt-realtime-2025-08-28",
    "gpt rt 1.5": "gpt-realtime-1.5",
    "gpt rt mini": "gpt-realtime-mini",
    "gpt rt mn 1215": "gpt-realtime-mini-2025-12-15",
    "gpt realtime 2": "gpt-realtime-2",
    "gpt realtime 2.1": "gpt-realtime-2.1",
    "gpt realtime 2.1 mini": "gpt-realtime-2.1-mini",
    "gpt 4o transcribe": "gpt-4o-transcribe",
    "gpt 4o tcrb d": "gpt-4o-transcribe-diarize",
    "gpt 4o mini transcribe": "gpt-4o-mini-transcribe",
    "gpt 4o mn trscb 1215": "gpt-4o-mini-transcribe-2025-12-15",
    "gpt 4o mini tts": "gpt-4o-mini-tts",
    "gpt 4o mn tts 1215": "gpt-4o-mini-tts-2025-12-15",
    "gptimage 1": "gpt-image-1",
    "gptimage 1 mini": "gpt-image-1-mini",
    "gptimage 1.5": "gpt-image-1.5",
    "gptimage 2": "gpt-image-2",
    "gpt oss 120b": "gpt-oss-120b",
    "gpt oss 20b": "gpt-oss-20b",
    "oss 20b": "gpt-oss-20b",
}  # fmt: skip

_OTHERS: Mapping[str, Mapping[str, str]] = {
    # Product → spelling → the model's id in the Foundry catalogue; a version alone means nothing without its product.
    "Azure Deepseek Models": {
        "mai ds r1": "MAI-DS-R1",
        "r1": "deepseek-r1",
        "v3": "deepseek-v3",
        "v3 0324": "deepseek-v3-0324",
        "v3.1": "deepseek-v3.1",
        "v3.2": "deepseek-v3.2",
        "v3.2 sp": "deepseek-v3.2-speciale",
        "v4 flash": "deepseek-v4-flash",
        "v4 pro": "deepseek-v4-pro",
    },
    "Azure Fireworks Models": {
        "fw deep seek v3.2": "FW-DeepSeek-V3.2",
        "fw deep seekv 3.2": "FW-DeepSeek-V3.2",
        "fw deep seek v4 pro": "FW-DeepSeek-V4-Pro",
        "fw glm 5": "FW-GLM-5",
        "fw glm 5.1": "FW-GLM-5.1",
        "fw glm 5.2": "FW-GLM-5.2",
        "fw gpt oss 120b": "FW-gpt-oss-120b",
        "fw kimi k2.5": "FW-Kimi-K2.5",
        "fw kimi k2.6": "FW-Kimi-K2.6",
        "fw kimi k2.7 code": "FW-Kimi-K2.7-Code",
        "fw mini max m2.5": "FW-MiniMax-M2.5",
        "fw mini max 3": "FW-MiniMax-M3",
    },
    "Azure Grok Models": {
        "4.3": "grok-4.3",
        "code fast 1": "grok-code-fast-1",
        "grok 3": "grok-3",
        "grok 3 mini": "grok-3-mini",
        "grok 4": "grok-4",
        "grok 4 fast": "grok-4-fast-reasoning grok-4-fast-non-reasoning",
    },
    "Azure Kimi": {
        "k2 thinking": "kimi-k2-thinking",
        "k2.5": "kimi-k2.5",
        "k2.5 thinking": "kimi-k2.5",
        "k2.6": "kimi-k2.6",
        "k2.6 thinking": "kimi-k2.6",
        "k2.7 code": "kimi-k2.7-code",
    },
    "Azure Llama Models": {
        "3.3 70b": "Llama-3.3-70B-Instruct",
        "llama 3.3 70b": "Llama-3.3-70B-Instruct",
        "llama 4 maverick 17b": "Llama-4-Maverick-17B-128E-Instruct-FP8",
    },
    "Azure Mistral Models": {
        "codestral": "codestral-2501",
        "large 3": "mistral-large-3",
    },
    "Cohere Models": {
        "command a": "cohere-command-a",
        "command a plus": "cohere-command-a-plus",
        "embed v4": "embed-v-4-0",
    },
}

PRODUCTS = ("Azure OpenAI", *_OTHERS)
"""Products whose meters are read here; `Azure OpenAI` is also the lead of several product names."""

SAME_MODEL = {
    # The only version Azure has published of a model whose meter names none, or the short name of the only one.
    "gpt-4-0613": "gpt-4",
    "gpt-4.1-2025-04-14": "gpt-4.1",
    "gpt-4.1-mini-2025-04-14": "gpt-4.1-mini",
    "gpt-4.1-nano-2025-04-14": "gpt-4.1-nano",
    "gpt-5-2025-08-07": "gpt-5",
    "gpt-5-mini-2025-08-07": "gpt-5-mini",
    "gpt-5-nano-2025-08-07": "gpt-5-nano",
    "gpt-5.1-2025-11-13": "gpt-5.1",
    "gpt-5.1-chat-2025-11-13": "gpt-5.1-chat",
    "gpt-5.1-codex-2025-11-13": "gpt-5.1-codex",
    "gpt-5.1-codex-mini-2025-11-13": "gpt-5.1-codex-mini",
    "gpt-5.2-2025-12-11": "gpt-5.2",
    "gpt-5.2-chat-2025-12-11": "gpt-5.2-chat",
    "gpt-5.2-pro-2025-12-11": "gpt-5.2-pro",
    "gpt-5.4-2026-03-05": "gpt-5.4",
    "gpt-5.4-pro-2026-03-05": "gpt-5.4-pro",
    "gpt-5.4-mini-2026-03-17": "gpt-5.4-mini",
    "gpt-5.4-nano-2026-03-17": "gpt-5.4-nano",
    "gpt-5.5-2026-04-23": "gpt-5.5",
    "gpt-audio-1.5-2026-02-23": "gpt-audio-1.5",
    "gpt-audio-mini-2025-10-06": "gpt-audio-mini",
    "gpt-realtime-1.5-2026-02-23": "gpt-realtime-1.5",
    "gpt-realtime-mini-2025-10-06": "gpt-realtime-mini",
    "gpt-image-1.5-2025-12-16": "gpt-image-1.5",
    "gpt-image-2-2026-04-21": "gpt-image-2",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "o1": "o1-2024-12-17",
    "o1-mini": "o1-mini-2024-09-12",
    "o1-preview": "o1-preview-2024-09-12",
    "o3": "o3-2025-04-16",
    "o3-mini": "o3-mini-2025-01-31",
    "o3-pro-2025-06-10": "o3-pro",
    "o4-mini": "o4-mini-2025-04-16",
}

_LONG_CONTEXT = (
    # A meter says `LongCo` or `L` and never how long that is; these are the makers' documented thresholds.
    (re.compile(r"gpt-5\.[456](-pro|-sol|-terra|-luna)?"), 272_000),
    (re.compile(r"grok-4\.3"), 200_000),
)


def read(product: str, name: str) -> Meter | str:
    """What the meter of a product prices per token, or the kind under which it is counted."""
    if not name.lower().endswith(("tokens", "unit", "units")):
        return f"priced per {name.rpartition(' ')[2].lower()}"
    roles: set[str] = set()
    left: list[str] = []
    for word in _words(name):
        role = _ROLES.get(word)
        if role is None:
            left.append(word)
        elif role in roles and role not in ("image", "text", "tokens", "training"):
            return "meter whose name says a role twice"
        else:
            roles.add(role)
    for role in _COUNTED:
        if role in roles:
            return f"{role} meter"
    if "tokens" not in roles:
        return "meter of an hour, a month or a tool"
    spelling = " ".join(left)
    spellings = _OPENAI if product.startswith("Azure OpenAI") else _OTHERS.get(product, {})
    if spelling not in spellings:
        return f"unrecognised model of {product}"
    skus = tuple(f"ft:{sku}" if "fine-tuned" in roles else sku for sku in spellings[spelling].split())
    return _meter(skus, roles)


def _meter(skus: tuple[str, ...], roles: set[str]) -> Meter | str:
    scopes = roles & set(Scope)
    if len(scopes) != 1:
        return "meter that names no deployment scope" if not scopes else "meter that names two deployment scopes"
    unit = _unit(roles, embedding="embed" in skus[0])
    if unit is None:
        return "meter whose direction is not clear"
    if {"batch", "priority"} <= roles:
        return "meter of two service tiers"
    context_from = 0
    if "long" in roles:
        known = (tokens for pattern, tokens in _LONG_CONTEXT if pattern.fullmatch(skus[0].removeprefix("ft:")))
        context_from = next(known, 0)
        if not context_from:
            return "long-context meter without a documented threshold"
    service_tier = next((tier for tier in ("batch", "priority") if tier in roles), "standard")
    return Meter(skus, unit, service_tier, context_from, Scope(scopes.pop()))


def _unit(roles: set[str], *, embedding: bool) -> str | None:
    # `aud` beside `txt` names an audio model (`gpt-4o-aud-1217-txt Inp`); the text of any model is its plain unit.
    modality = "" if "text" in roles else "audio" if "audio" in roles else "image" if "image" in roles else ""
    suffix = f"_{modality}" if modality else ""
    match "input" in roles, "output" in roles, "cached" in roles, "write" in roles:
        case (_, False, True, False):
            return f"cache_read{suffix}"
        case (False, False, True, True):
            return f"cache_write{suffix}"
        case (True, False, False, False):
            return f"input{suffix}"
        case (False, True, False, False):
            return f"output{suffix}"
        case (False, False, False, False) if embedding:
            return f"input{suffix}"
    return None


def _words(name: str) -> Iterator[str]:
    """The words of a meter's name, spelled one way: `BatchOutp DataZone` is `batch outp datazone`."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", name).lower()
    text = re.sub(r"[\s-]+", " ", text.replace("4omini", "4o mini"))
    text = re.sub(r"(?<=[a-z]{2})(?=\d)", " ", text)
    for split, joined in (("data zone", "datazone"), ("long co ", "longco "), ("short co ", "shortco ")):
        text = text.replace(split, joined)
    # The image models' own name, not the modality of what is billed.
    text = re.sub(r"^(gpt (img|image)|image)(?= \d)", "gptimage", text)
    return iter(text.split())
