"""Looks for migrations that would lock or break a running installation. The linter is no installed app: production has no use for it."""

from __future__ import annotations

import os
import sys

import django
from django.core.management import call_command
from django_migration_linter.management.commands.lintmigrations import Command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lendconsole.settings")
django.setup()
call_command(Command(), quiet=["ok", "ignore"], no_cache=True, include_apps=sys.argv[1:])
