"""A job of the worker in a process of its own, as it runs in production: how long, how much of it waiting, how much memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Spent:
    began: float
    """By time.time."""
    total_ms: float
    waited_ms: float
    """For the database: its statements, its copying, its commits."""
    peak_mb: float

    @property
    def ended(self) -> float:
        return self.began + self.total_ms / 1000


@contextmanager
def working(job: str, organization_id: int, pk: int) -> Iterator[Future[Spent]]:
    """`job` is the path of a function that tells whether it did what it was called for."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        yield pool.submit(_work, job, organization_id, pk)


def work(job: str, organization_id: int, pk: int) -> Spent:
    with working(job, organization_id, pk) as spent:
        return spent.result()


def _work(job: str, organization_id: int, pk: int) -> Spent:
    import_module("django").setup()
    module, _, name = job.rpartition(".")
    carry_out = getattr(import_module(module), name)
    waits = _heard_waits()
    began, start = time.time(), time.perf_counter()
    if not carry_out(organization_id, pk):
        raise RuntimeError(f"{job} did nothing.")
    total = time.perf_counter() - start
    return Spent(began, total * 1000, sum(waits) * 1000, _peak_mb())


def _heard_waits() -> list[float]:
    """Filled from now on with the seconds of each wait for the server; a cursor's listener would not hear COPY and COMMIT."""
    waits: list[float] = []
    wait = psycopg.Connection.wait

    def listen(*args: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return wait(*args, **options)
        finally:
            waits.append(time.perf_counter() - start)

    psycopg.Connection.wait = listen  # type: ignore[method-assign]
    return waits


def _peak_mb() -> float:
    """Of this process alone: getrusage would remember the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
