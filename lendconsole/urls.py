"""Every address of the program. Below /o/<organization>/ a request has a member; see middleware.MemberMiddleware."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

import accounts.urls
import audit.urls
import customers.urls
import notifications.urls
import teams.urls
from lendconsole import dev_mailbox, views
from lendconsole.dashboard import DashboardView
from lendconsole.outbox import EmailSendAgainView

# Sending again is written to the audit log, which stands beside notifications.
notifications_urlpatterns = [
    *notifications.urls.console_urlpatterns,
    path("emails/<int:pk>/send-again/", EmailSendAgainView.as_view(), name="email_send_again"),
]

console_urlpatterns: list[URLPattern | URLResolver] = [
    path("", DashboardView.as_view(), name="dashboard"),
    path("", include((teams.urls.console_urlpatterns, "teams"))),
    path("", include((customers.urls.console_urlpatterns, "customers"))),
    path("", include((audit.urls.console_urlpatterns, "audit"))),
    path("", include((notifications_urlpatterns, "notifications"))),
]

# The chooser lists memberships, which stand above accounts.
accounts_urlpatterns: list[URLPattern | URLResolver] = [
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

development_urlpatterns = [
    path("dev/mailbox/", dev_mailbox.dev_mailbox, name="dev_mailbox"),
    path("dev/mailbox/<int:organization_id>/<int:pk>/", dev_mailbox.dev_mailbox_html, name="dev_mailbox_html"),
]
if settings.DEVELOPMENT:
    urlpatterns += development_urlpatterns
