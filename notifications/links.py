"""Addresses inside e-mails: always below the configured BASE_URL, never below what a request claims to be."""

from __future__ import annotations

from django.conf import settings


def absolute_url(path: str) -> str:
    """`/o/kudi/` to `https://console.example.com/o/kudi/`."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("A path of this program begins with one slash.")
    return f"{settings.BASE_URL}{path}"
