"""Self-host or buy: what a Mtok costs on rented GPUs, and from which load on that is less than an API asks.

Its address is its state: `Ask` reads and writes it. `compose` turns a run, rates and the market into what is shown.
Both are pure; `reading` asks the catalogue.
"""

from dashboards.pages.self_host.ask import PATH, Ask, read
from dashboards.pages.self_host.page import CSV_HEAD, Page, Read, compose, csv_rows, run_options

__all__ = ["CSV_HEAD", "PATH", "Ask", "Page", "Read", "compose", "csv_rows", "read", "run_options"]
