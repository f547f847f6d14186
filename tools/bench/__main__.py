"""`python -m tools.bench --scale 1000000 --out build/bench.json`: make the data set, measure, print, write."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from lendconsole import devstack
from lendconsole.devstack.bootstrap import prepare_database

LOGINS = {"DATABASE_URL": "lendconsole_app", "DATABASE_OWNER_URL": "lendconsole_owner"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=1_000_000, help="customers in all")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args()
    set_up(options.scale)
    dataset, cases, report = (import_module(f"tools.bench.{name}") for name in ("dataset", "cases", "report"))
    print(f"Preparing {options.scale:,} customers …", flush=True)
    dataset.prepare(options.scale)
    results = []
    for result in cases.Bench().results():
        print(f"  {result.name}: {result.page_ms:.1f} ms", flush=True)
        results.append(result)
    print(report.table(results, options.scale))
    report.write(results, options.scale, options.out)
    missed = [result for result in results if not result.is_met]
    for result in missed:
        scans = f", reads all of {', '.join(result.scanned)}" if result.scanned else ""
        print(f"Missed: {result.name}, {result.page_ms:.1f} ms, budget {result.budget}{scans}", file=sys.stderr)
    return 1 if missed else 0


def set_up(scale: int) -> None:
    """A database of its own on the embedded server, or beside the one that DATABASE_URL names."""
    os.environ.setdefault("DEBUG", "1")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tools.bench.settings"
    if not os.environ.get("DATABASE_URL"):
        devstack.ensure()
        prepare_database()
    for name, login in LOGINS.items():
        url = os.environ.get(name) or devstack.database_url(login, "lendconsole")
        os.environ[name] = urlsplit(url)._replace(path=f"/lendconsole_bench_{scale}").geturl()
    import_module("django").setup()


if __name__ == "__main__":
    sys.exit(main())
