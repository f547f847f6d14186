"""What a measurement says."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Result:
    """Times in milliseconds. `budget` in words: "8x" of the floor, "60 ms" of the page, or both: "5x, 60 ms";
    "200 MB" where `page_ms` is memory.
    """

    name: str
    budget: str
    page_ms: float
    floor_ms: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    statements: int = 0
    scanned: list[str] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    """How many times as long a peer should take."""

    @property
    def ratio(self) -> float | None:
        return round(self.page_ms / self.floor_ms, 2) if self.floor_ms else None

    @property
    def is_met(self) -> bool:
        return not self.scanned and all(map(self._keeps, self.budget.split(", ")))

    def _keeps(self, limit: str) -> bool:
        measured = self.ratio if limit.endswith("x") else self.page_ms
        return measured is not None and measured <= float(limit.split(maxsplit=1)[0].rstrip("x"))
