#!/usr/bin/env python
"""Ratecard's command line; `python manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.command_line import run

    run(sys.argv)


if __name__ == "__main__":
    main()
