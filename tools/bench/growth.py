"""The list with few customers, for the list with many to be measured against: a process of its own, on its own database."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import Final

SCALE: Final = 10_000
TIMES: Final = 15


def small_page_ms() -> float:
    measured = subprocess.run([sys.executable, "-m", __name__], check=True, stdout=subprocess.PIPE, text=True)
    return float(measured.stdout.split()[-1])


def main() -> None:
    import_module("tools.bench.__main__").set_up(SCALE)
    dataset, measuring = (import_module(f"tools.bench.{name}") for name in ("dataset", "measuring"))
    dataset.prepare(SCALE)
    client = measuring.signed_in(f"admin@{dataset.BIGGEST}.{dataset.DOMAIN}")
    print(measuring.median_ms(measuring.page(client, f"/o/{dataset.BIGGEST}/customers/"), TIMES))


if __name__ == "__main__":
    main()
