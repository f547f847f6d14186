"""Every address of the program. Below /o/<organization>/ a request has a member; see middleware.MemberMiddleware."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

import audit.urls
import customers.urls
import notifications.urls
import teams.urls
from lendconsole import views

console_urlpatterns = [
    path("", include((teams.urls.console_urlpatterns, "teams"))),
    path("", include((customers.urls.console_urlpatterns, "customers"))),
    path("", include((audit.urls.console_urlpatterns, "audit"))),
    path("", include((notifications.urls.console_urlpatterns, "notifications"))),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", views.health, name="health"),
    path("organizations/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include((teams.urls.public_urlpatterns, "teams_public"))),
    path("", include((customers.urls.public_urlpatterns, "customers_public"))),
    path("o/<slug:organization>/", include(console_urlpatterns)),
]

handler403 = "lendconsole.refusals.permission_denied"
