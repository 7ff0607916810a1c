"""What the server does once when it has loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SERVED = "import gc, config.wsgi; print(gc.get_freeze_count(), sum(map(len, map(gc.get_objects, (0, 1, 2)))))"


def test_what_is_loaded_is_no_more_looked_through_for_garbage() -> None:
    root = Path(__file__).resolve().parents[2]
    said = subprocess.run([sys.executable, "-c", SERVED], cwd=root, capture_output=True, text=True, check=True)
    frozen, watched = map(int, said.stdout.split())
    assert frozen > 50_000 > 10 * watched
