"""Files that are no customer files, by mistake or by malice: refused whole, early and cheaply."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organization
from customers.importing.limits import MAXIMUM_BYTES, FileRefused
from customers.models import Customer
from customers.services.importing import import_customers
from lendconsole.tenancy import organization_context
from tests.customers.import_support import HEADER, build_kudi, line, load


@pytest.fixture
def kudi(db: None) -> Iterator[Organization]:
    kudi = build_kudi()
    with organization_context(kudi.pk):
        yield kudi


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (HEADER.encode("utf-16"), "UTF-16"),
        (HEADER.encode("utf-16-le"), "NUL"),
        (b"PK\x03\x04" + b"\x00" * 500, "spreadsheet"),
        (b"\x1f\x8b\x08" + bytes(range(256)), "compressed"),
        (bytes(range(128, 256)) * 40, "not UTF-8"),
        (f"{HEADER}\n{line(number='KM-1')}\n".encode() + b"KM-2,Jos\xe9,x\n", "Line 3 is not UTF-8"),
        (HEADER.encode() + b"\n" + line().encode() + b"\nKM-2,a\x00b\n", "Line 3 contains NUL"),
        (b"Name,Phone\nGrace,0803\n", "missing: Customer number, First name, Last name, Office"),
        (HEADER.replace(",", ";").encode(), "semicolons"),
        (f"{HEADER},Role\n".encode(), "These columns are not known: “Role”."),
        (f"{HEADER.replace('NGN', 'USD')}\n".encode(), "These columns are not known: “Monthly income (USD)”."),
        (f"{HEADER},Phone\n".encode(), "more than once: Phone"),
        (HEADER.encode() + b'\nKM-1,"Grace', "Line 2 cannot be read as CSV"),
        (HEADER.encode() + b"\n" + b"x" * 70_000, "Line 2 is too long"),
        (HEADER.encode() + b'\n"' + b"x\n" * 200_000, "Line"),
        (b"," * 1_000_000, "too long"),
        (b"," * 60_000, "more than 200 columns"),
    ],
)
def test_a_file_that_is_no_customer_file_is_refused_whole(kudi: Organization, content: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        load(kudi, content)
    assert not Customer.objects.exists()


class Endless(io.RawIOBase):
    """A file that repeats itself, so that a big one needs no disk."""

    def __init__(self, head: bytes, repeated: bytes, size: int) -> None:
        self.left, self.pending, self.repeated = size, head, repeated

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self.pending) < len(buffer) and self.left > 0:
            self.pending += self.repeated
            self.left -= len(self.repeated)
        part, self.pending = self.pending[: len(buffer)], self.pending[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize(
    "repeated",
    [b"x" * 65_536, b"\x00" * 65_536, b"," * 65_536, b"KM-1\n" * 10_000],
    ids=["one line", "zeros", "columns", "rows"],
)
def test_hostile_giants_are_refused_in_seconds_with_little_memory(kudi: Organization, repeated: bytes) -> None:
    started = time.perf_counter()
    file = io.BufferedReader(Endless(HEADER.encode() + b"\n", repeated, 4 * MAXIMUM_BYTES))
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused):
            import_customers(actor=None, organization=kudi, file=file, file_name="big.csv")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - started < 10
    assert peak < 5 * 1024**2


def test_a_file_over_the_limit_is_refused_without_being_read(kudi: Organization, tmp_path: Path) -> None:
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(MAXIMUM_BYTES + 1)
    started = time.perf_counter()
    with pytest.raises(CommandError, match="larger than 50 MB"):
        call_command("import_customers", big, organization="kudi")
    assert time.perf_counter() - started < 2
