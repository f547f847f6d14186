"""Addresses of audit. The console's lie below /o/<organization>/; views take its slug as `organization` and read request.member."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

console_urlpatterns: list[URLPattern | URLResolver] = []
public_urlpatterns: list[URLPattern | URLResolver] = []
