"""`manage.py rotate_encryption_keys`: after a new key was put first. docs/operations.md, "Rotating keys"."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from lendconsole.rotation import Progress, rotate_all


class Command(BaseCommand):
    help = "Encrypt everything anew with the first of FIELD_ENCRYPTION_KEYS. Repeating it is harmless."

    def handle(self, *args: Any, **options: Any) -> None:
        kinds: dict[str, Progress] = {}
        for progress in rotate_all():
            kinds[progress.what] = progress
            self.stdout.write(f"{progress.what}: {progress.seen:,} looked at, {progress.rewritten:,} written anew")
        lost = [progress for progress in kinds.values() if progress.unreadable]
        for progress in lost:
            ids = ", ".join(map(str, progress.unreadable[:100]))
            self.stderr.write(f"{progress.what}: no key reads {len(progress.unreadable):,} of them. Ids: {ids}")
        if lost:
            sys.exit(1)
        self.stdout.write("Everything is encrypted with the newest key; the older ones can go.")
