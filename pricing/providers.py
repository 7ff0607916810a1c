"""Providers and makers we know by name: one slug each, and every declared alias that means the same.

Data, reviewed by hand. A provider nobody declared keeps the slug its source gives it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A provider: its slug, what people call it, other slugs for it, and whether it trains what it sells.

    Each of them names it, written with hyphens, underscores or spaces.
    """

    slug: str
    name: str
    aliases: tuple[str, ...] = ()
    maker: bool = False


PROVIDERS = (
    Known("openai", "OpenAI", ("open-ai",), maker=True),
    Known("anthropic", "Anthropic", ("claude",), maker=True),
    Known("google", "Google", ("gemini", "google-ai", "googleai", "google-ai-studio", "google-gemini"), maker=True),
    Known("vertex", "Google Vertex AI", ("vertex-ai", "google-vertex")),
    Known("azure", "Microsoft Azure", ("azure-ai", "azure-openai")),
    Known("bedrock", "AWS Bedrock", ("aws", "amazon-bedrock", "bedrock-converse")),
    Known("deepseek", "DeepSeek", ("deepseek-ai",), maker=True),
    Known("mistral", "Mistral", ("mistralai", "mistral-ai"), maker=True),
    Known("xai", "xAI", ("x-ai", "grok"), maker=True),
    Known("groq", "Groq"),
    Known("together", "Together AI", ("togetherai",)),
    Known("fireworks", "Fireworks", ("fireworks-ai",)),
    Known("deepinfra", "DeepInfra"),
    Known("openrouter", "OpenRouter"),
    Known("oci", "Oracle Cloud", ("oracle",)),
    Known("alibaba", "Alibaba Cloud", ("dashscope", "qwen", "aliyun"), maker=True),
    Known("moonshot", "Moonshot AI", ("moonshotai", "kimi"), maker=True),
    Known("zai", "Z.ai", ("z-ai", "zhipu", "zhipu-ai"), maker=True),
    Known("zhipuai", "Zhipu BigModel (China)", ("bigmodel",)),
    Known("minimax", "MiniMax", ("minimaxai",), maker=True),
    Known("meta", "Meta", ("meta-llama", "llama-api"), maker=True),
    Known("cohere", "Cohere", ("cohere-chat",), maker=True),
    Known("ai21", "AI21", (), maker=True),
    Known("perplexity", "Perplexity", (), maker=True),
    Known("xiaomi", "Xiaomi", ("xiaomimimo",), maker=True),
    Known("stepfun", "StepFun", ("stepfun-ai",), maker=True),
    Known("tencent", "Tencent", ("tencent-tokenhub",), maker=True),
    Known("upstage", "Upstage", (), maker=True),
    Known("inception", "Inception", ("inceptionlabs",), maker=True),
    Known("thinkingmachines", "Thinking Machines", (), maker=True),
    Known("arcee", "Arcee", ("arcee-ai",), maker=True),
    Known("sakana", "Sakana AI", (), maker=True),
    Known("poolside", "Poolside", (), maker=True),
    Known("cognition", "Cognition", (), maker=True),
    Known("cursor", "Cursor", (), maker=True),
    Known("voyageai", "Voyage AI", ("voyage",), maker=True),
    Known("elevenlabs", "ElevenLabs", (), maker=True),
    Known("longcat", "LongCat", (), maker=True),
    Known("bailing", "Ant Ling", (), maker=True),
    Known("nova", "Amazon Nova", ("amazon-nova",)),
    Known("byteplus", "BytePlus"),
    Known("volcengine", "Volcano Engine"),
    Known("sensenova", "SenseNova", (), maker=True),
    Known("vercel", "Vercel AI Gateway"),
    Known("typesafe", "TypeSafe", (), maker=True),
)


def _spelled(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


_BY_NAME = {_spelled(name): known for known in PROVIDERS for name in (known.slug, known.name, *known.aliases)}

MAKER_OF_NAMESPACE = {
    # What resellers and model hubs write before the slash (or, on Bedrock, before the dot).
    "openai": "openai", "anthropic": "anthropic", "google": "google", "deepseek": "deepseek",
    "deepseek-ai": "deepseek", "mistral": "mistral", "mistralai": "mistral", "x-ai": "xai", "xai": "xai",
    "qwen": "alibaba", "alibaba": "alibaba", "meta": "meta", "meta-llama": "meta", "meta-models": "meta",
    "codellama": "meta", "moonshotai": "moonshot", "moonshot": "moonshot", "z-ai": "zai", "zai-org": "zai",
    "zai": "zai", "thudm": "zai", "minimax": "minimax", "minimaxai": "minimax", "cohere": "cohere", "ai21": "ai21",
    "perplexity": "perplexity", "xiaomi": "xiaomi", "xiaomimimo": "xiaomi", "stepfun": "stepfun",
    "tencent": "tencent", "upstage": "upstage", "inception": "inception", "thinkingmachines": "thinkingmachines",
    "arcee-ai": "arcee", "sakana": "sakana", "poolside": "poolside", "nvidia": "nvidia", "microsoft": "microsoft",
    "amazon": "amazon", "ibm-granite": "ibm", "nousresearch": "nousresearch", "inclusionai": "bailing",
    "baidu": "baidu", "bytedance": "bytedance", "bytedance-seed": "bytedance", "allenai": "allenai",
    "liquid": "liquid", "writer": "writer", "aisingapore": "aisingapore", "swiss-ai": "swiss-ai",
    "togethercomputer": "together", "01-ai": "01-ai", "zero-one-ai": "01-ai", "baai": "baai",
    "typesafe": "typesafe", "meituan": "longcat",
}  # fmt: skip

MAKER_OF_NAME = (
    # First match of a bare name tells its maker. Anchored, so that a derivative's own prefix decides.
    (re.compile(r"(ft:)?(gpt|chatgpt|codex|davinci|babbage|dall-e|whisper|tts|text-embedding|text-davinci"
                r"|omni-moderation|computer-use|sora|o[134])(-|$|\d)"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"(gemini|gemma|imagen|veo|learnlm)-?\d*"), "google"),
    (re.compile(r"deepseek-"), "deepseek"),
    (re.compile(r"(open-)?(mistral|mixtral|ministral|codestral|devstral|magistral|pixtral|voxtral)(-|$)"), "mistral"),
    (re.compile(r"grok-"), "xai"),
    (re.compile(r"(qwen|qwq|qvq)"), "alibaba"),
    (re.compile(r"llama-[\d.]+-nemotron-"), "nvidia"),
    (re.compile(r"((meta-)?llama|codellama|muse)-?\d*"), "meta"),
    (re.compile(r"(kimi|moonshot)-"), "moonshot"),
    (re.compile(r"(glm|chatglm|zai-glm)-"), "zai"),
    (re.compile(r"minimax-"), "minimax"),
    (re.compile(r"(command|c4ai|rerank-|embed-(english|multilingual))"), "cohere"),
    (re.compile(r"jamba-"), "ai21"),
    (re.compile(r"sonar(-|$)"), "perplexity"),
    (re.compile(r"mimo-"), "xiaomi"),
    (re.compile(r"(phi|mai|wizardlm)-"), "microsoft"),
    (re.compile(r"nemotron-"), "nvidia"),
    (re.compile(r"(nova|titan)-"), "amazon"),
    (re.compile(r"voyage-"), "voyageai"),
    (re.compile(r"inkling"), "thinkingmachines"),
    (re.compile(r"solar-"), "upstage"),
    (re.compile(r"step-\d"), "stepfun"),
    (re.compile(r"mercury"), "inception"),
    (re.compile(r"(doubao-|seed-\d)"), "bytedance"),
    (re.compile(r"granite-"), "ibm"),
)  # fmt: skip


def canonical(name: str) -> str:
    """The one slug for a provider's slug, name or declared alias; what was written, as a slug, where there is none."""
    spelled = _spelled(name)
    known = _BY_NAME.get(spelled)
    return known.slug if known else spelled


def is_declared(name: str) -> bool:
    """Whether the name is a declared provider's slug, name or alias."""
    return _spelled(name) in _BY_NAME


def declared(slug: str) -> Known | None:
    """What we declare of a provider, by slug, name or alias."""
    return _BY_NAME.get(_spelled(slug))


def maker_of(name: str) -> str:
    """Who trained a model with this bare, lower-case name; '' when its name does not say."""
    for pattern, maker in MAKER_OF_NAME:
        if pattern.match(name):
            return maker
    return ""
