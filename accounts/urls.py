"""Addresses of one's own account beside allauth's (urls_sign_in.py). The organization chooser needs teams and is the roof's."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from accounts import views

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", views.ProfileView.as_view(), name="profile"),
    re_path(
        r"^logo/(?P<organization>[a-z0-9-]+)/(?P<digest>[0-9a-f]{32})\.png\Z",
        views.OrganizationLogoView.as_view(),
        name="organization_logo",
    ),
    path("accounts/e-mail/", views.AddressChangeView.as_view(), name="email_change"),
    path("accounts/e-mail/<str:token>/", views.AddressConfirmView.as_view(), name="email_confirm"),
    path("accounts/confirmed/", views.ConfirmedView.as_view(), name="confirmed"),
    path("accounts/sessions/<int:pk>/end/", views.SessionEndView.as_view(), name="session_end"),
]
