"""What depends on a member's standing alone is put together once for the process: it takes Python longer than the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar

from teams.models import Member

KEPT: Final = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asker:
    """Two are equal when the access rule cannot tell them apart."""

    standing: tuple[Any, ...]
    member: Member = field(compare=False)


def kept(build: Callable[[Member], T]) -> Callable[[Member], T]:
    """For statements and querysets, never for rows: `build` asks the member for nothing but what `Member.standing` holds,
    and neither a clock nor the database."""

    @lru_cache(maxsize=KEPT)
    def build_once(asker: _Asker) -> T:
        return build(asker.member)

    @wraps(build)
    def find(member: Member) -> T:
        return build_once(_Asker(member.standing, member))

    return find
