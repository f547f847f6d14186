"""Addresses of notifications. The console's lie below /o/<organization>/; views take its slug as `organization` and read request.member.

`email_send_again` stands on the roof, because it also writes the audit log.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from notifications.views import EmailListView

console_urlpatterns: list[URLPattern | URLResolver] = [path("emails/", EmailListView.as_view(), name="email_list")]
public_urlpatterns: list[URLPattern | URLResolver] = []
