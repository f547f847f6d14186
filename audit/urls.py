"""Addresses of audit. The console's lie below /o/<organization>/; views take its slug as `organization` and read request.member."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from audit.views import EventListView

console_urlpatterns: list[URLPattern | URLResolver] = [path("audit/", EventListView.as_view(), name="event_list")]
public_urlpatterns: list[URLPattern | URLResolver] = []
