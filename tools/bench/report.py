"""The results as a table for people, JSON for programs and a picture for the documentation."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Final

from tools.bench.results import Result

BAR: Final = 22
LABEL: Final = 250
WIDTH: Final = 760


def table(results: list[Result], scale: int) -> str:
    """Markdown; aligned enough to be read as it is."""
    lines = [
        f"{scale:,} customers, {round(scale * 0.3):,} of them in the biggest organization; medians in milliseconds.",
        "",
        "| what | page | floor | ratio | budget | statements | peers |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for result in results:
        peers = ", ".join(_peer(result, name) for name in result.peers)
        ratio = f"{result.ratio:.1f}x" if result.ratio else ""
        note = "" if result.is_met else " **missed**"
        lines.append(
            f"| {result.name} | {_ms(result.page_ms)} | {_ms(result.floor_ms)} | {ratio} | {result.budget}{note} "
            f"| {result.statements} | {peers} |"
        )
    return "\n".join(lines)


def _peer(result: Result, name: str) -> str:
    """ "scoped Django admin 96.0 (6.4x, wanted 6x)"."""
    wanted = f", wanted {result.wanted[name]}x" if name in result.wanted else ""
    return f"{name} {_ms(result.peers[name])} ({result.peers[name] / result.page_ms:.1f}x{wanted})"


def write(results: list[Result], scale: int, out: Path) -> None:
    """`out`, and beside it the picture with the same name."""
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "name": result.name,
            "scale": scale,
            "floor_ms": _rounded(result.floor_ms),
            "page_ms": _rounded(result.page_ms),
            "ratio": result.ratio,
            "budget": result.budget,
            "peers": {name: _rounded(ms) for name, ms in result.peers.items()},
        }
        for result in results
    ]
    out.write_text(json.dumps(rows, indent=2) + "\n")
    out.with_suffix(".svg").write_text(picture(results))


def picture(results: list[Result]) -> str:
    """A bar for each page; its length is the time."""
    longest = max(result.page_ms for result in results)
    bars = []
    for number, result in enumerate(results):
        top = number * BAR
        length = max(1, round((WIDTH - LABEL - 80) * result.page_ms / longest))
        bars.append(
            f'<text x="{LABEL - 8}" y="{top + 15}" text-anchor="end">{escape(result.name)}</text>'
            f'<rect x="{LABEL}" y="{top + 4}" width="{length}" height="{BAR - 8}" fill="#206bc4"/>'
            f'<text x="{LABEL + length + 6}" y="{top + 15}">{_ms(result.page_ms)} ms</text>'
        )
    height = len(results) * BAR
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" role="img"'
        f' aria-label="Times of pages" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{"".join(bars)}</svg>\n'
    )


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
