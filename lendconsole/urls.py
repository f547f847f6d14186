"""Every address of the program. Below /o/<organization>/ a request has a member; see middleware.MemberMiddleware."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

import accounts.urls
import audit.urls
import customers.urls
import notifications.urls
import teams.urls
from lendconsole import views
from lendconsole.dashboard import DashboardView

console_urlpatterns = [
    path("", DashboardView.as_view(), name="dashboard"),
    path("", include((teams.urls.console_urlpatterns, "teams"))),
    path("", include((customers.urls.console_urlpatterns, "customers"))),
    path("", include((audit.urls.console_urlpatterns, "audit"))),
    path("", include((notifications.urls.console_urlpatterns, "notifications"))),
]

# The chooser lists memberships, which stand above accounts.
accounts_urlpatterns = [
    *accounts.urls.urlpatterns,
    path("organizations/", views.OrganizationListView.as_view(), name="organizations"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", views.health, name="health"),
    path("", views.home, name="home"),
    path("", include((accounts_urlpatterns, "accounts"))),
    path("accounts/", include("accounts.urls_sign_in")),
    path("", include((teams.urls.public_urlpatterns, "teams_public"))),
    path("", include((customers.urls.public_urlpatterns, "customers_public"))),
    path("o/<slug:organization>/", include(console_urlpatterns)),
]

handler403 = "lendconsole.refusals.permission_denied"
