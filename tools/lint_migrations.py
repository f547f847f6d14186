"""Looks for migrations that would lock or break a running installation. The linter is no installed app: production has no use for it."""

from __future__ import annotations

import os
import sys
from typing import Final

import django
from django.core.management import call_command
from django_migration_linter.management.commands.lintmigrations import Command

UNRELEASED: Final = ("0013_export_files",)
"""They drop what no release has ever held."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lendconsole.settings")
django.setup()
call_command(Command(), quiet=["ok", "ignore"], no_cache=True, include_apps=sys.argv[1:], ignore_name=UNRELEASED)
