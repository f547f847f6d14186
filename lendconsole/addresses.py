"""The addresses of servers, as the environment gives them. One that cannot be read is refused in a sentence."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

DATABASE: Final = "postgresql://user:password@host:5432/database"
REDIS: Final = "redis://:password@host:6379/1"
EMAIL: Final = "smtp+tls://user:password@host:587"
REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})
BROKER_SCHEMES: Final = frozenset({"redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps"})


def database(variable: str, text: str) -> dict[str, Any]:
    if _scheme(text) not in {"postgres", "postgresql"}:
        raise _unreadable(variable, DATABASE)
    try:
        configuration: dict[str, Any] = environ.Env.db_url_config(text)
    except ValueError:  # the port is no number
        raise _unreadable(variable, DATABASE) from None
    if not configuration["NAME"]:
        raise _unreadable(variable, DATABASE)
    options = configuration.setdefault("OPTIONS", {})
    if "host" in options:
        configuration["HOST"] = options.pop("host")
    return configuration


def redis(variable: str, text: str, schemes: frozenset[str] = REDIS_SCHEMES) -> str:
    scheme, rest = _scheme(text), text.partition("://")[2]
    try:
        complete = scheme in schemes and bool(rest) and urlsplit(text).port != 0
    except ValueError:
        complete = False
    if not complete:
        raise _unreadable(variable, REDIS)
    return text


def email(variable: str, text: str) -> dict[str, Any]:
    scheme = _scheme(text)
    if scheme not in environ.Env.EMAIL_SCHEMES:
        raise _unreadable(variable, EMAIL)
    try:
        configuration: dict[str, Any] = environ.Env.email_url_config(text)
    except ValueError:
        raise _unreadable(variable, EMAIL) from None
    if scheme.startswith("smtp") and not configuration["EMAIL_HOST"]:
        raise _unreadable(variable, EMAIL)
    return configuration


def _scheme(text: str) -> str:
    scheme, separator, _ = text.partition("://")
    return scheme if separator else ""


def _unreadable(variable: str, form: str) -> ImproperlyConfigured:
    """Does not repeat what was given: there may be a password in it."""
    return ImproperlyConfigured(f"{variable} is not an address that can be read. It looks like {form}.")
