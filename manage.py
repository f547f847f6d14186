#!/usr/bin/env python3
"""Django's command line; starts the embedded servers when the environment names no others."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from lendconsole.devstack import DevstackError, bootstrap


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lendconsole.settings")
    try:
        bootstrap.bring_up()
    except (DevstackError, ImproperlyConfigured) as problem:
        sys.exit(str(problem))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
