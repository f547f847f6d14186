"""The cache in Valkey. While that is away nothing is cached and pages are slower, but the limits on sign-in go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted

LIMITS: Final = "allauth:rl:"


class Cache(RedisCache):
    """Counts tries in the process itself while Valkey is away: without that, allauth takes every try for one too many.

    Nothing but the limits is kept there: a session that another process has ended must not live on in this one.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._local = LocMemCache("limits", {"OPTIONS": {"MAX_ENTRIES": 10_000}})

    def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._either("get", super().get, key, *args, **kwargs)

    def set(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._either("set", super().set, key, *args, **kwargs)

    def add(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._either("add", super().add, key, *args, **kwargs)

    def delete(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._either("delete", super().delete, key, *args, **kwargs)

    def _either(self, name: str, method: Callable[..., Any], key: str, *args: Any, **kwargs: Any) -> Any:
        if not str(key).startswith(LIMITS):
            return method(key, *args, **kwargs)
        try:
            return getattr(self.client, name)(key, *args, **kwargs)
        except ConnectionInterrupted:
            return getattr(self._local, name)(key, *args, **kwargs)
