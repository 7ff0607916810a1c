"""What the catalogue answers: reads composed into the JSON that commands and the HTTP API both return.

No HTTP here, and nothing is written but an answer to have it ready (`pricing.ready`). A question that makes no sense
raises `BadQuestion` with a sentence for whoever asked; an answer nobody knows is an answer (`unknown`), not an error.
"""

from __future__ import annotations

from pricing.answers.questions import BadQuestion, moment

__all__ = ["BadQuestion", "moment"]
