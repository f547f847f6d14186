"""Addresses of one's own account beside allauth's (urls_sign_in.py). The organization chooser needs teams and is the roof's."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from accounts import views

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", views.ProfileView.as_view(), name="profile"),
    path("accounts/sessions/<int:pk>/end/", views.SessionEndView.as_view(), name="session_end"),
]
