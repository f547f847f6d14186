"""The worker of the fault tests: the program's own, with the test letter. Loaded by `celery -A tests.faults.app`."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lendconsole.settings")
settings.TEMPLATES[0]["DIRS"].append(Path(__file__).parents[1] / "templates")
django.setup()

app = import_module("lendconsole.celery").app
import_module("tests.letters")
