"""What is not worth a line in the log."""

import logging


def worth_a_line(record: logging.LogRecord) -> bool:
    """False for the answers a visitor or a health check causes: only faults of ours are logged."""
    status = getattr(record, "status_code", 0)
    path = getattr(getattr(record, "request", None), "path", "")
    return not (400 <= status < 500 or (status == 503 and path == "/readyz"))
