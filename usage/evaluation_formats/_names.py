"""How evaluation tools write the model they asked, as the two parts a resolver takes: who sells it, and its name.

Declared conventions only; a name that follows none goes to the resolver as it stands, and stays unresolved there
unless the catalogue knows it.
"""

from __future__ import annotations

from pricing.providers import is_declared

_KINDS = frozenset(
    {
        "chat",
        "completion",
        "completions",
        "responses",
        "messages",
        "assistant",
        "realtime",
        "converse",
        "image",
        "agents",
    }
)
_SELLERS_OF_INSPECT = {"azureai": "azure", "grok": "xai", "openai-api": "", "hf": "", "vllm": "", "sglang": "",
                       "ollama": "", "llama-cpp-python": "", "transformer_lens": "", "nnterp": ""}  # fmt: skip
_WITHIN = {"openai": {"azure"}, "anthropic": {"bedrock", "vertex", "azure"}, "google": {"vertex"}, "mistral": {"azure"}}


def of_colons(model: str) -> tuple[str, str]:
    """promptfoo's `openai:chat:gpt-5`: the seller and the name. ('', as it stands) where the seller is not declared."""
    parts = model.split(":")
    if len(parts) == 1 or not is_declared(parts[0]):
        return "", model
    rest = parts[2:] if len(parts) > 2 and parts[1] in _KINDS else parts[1:]
    return parts[0], ":".join(rest)


def of_slashes(model: str) -> tuple[str, str]:
    """Inspect's `openai/gpt-5`, `anthropic/bedrock/…`, `hf/org/name`: seller ('' for one's own weights) and name."""
    seller, slash, name = model.partition("/")
    if not slash:
        return "", model
    if seller in _SELLERS_OF_INSPECT:
        told = _SELLERS_OF_INSPECT[seller]
        if seller == "openai-api":
            told, _, name = name.partition("/")
        return told, name
    host, slash, rest = name.partition("/")
    if slash and host in _WITHIN.get(seller, ()):
        return host, rest
    return (seller, name) if is_declared(seller) else ("", model)
