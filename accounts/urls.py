"""Addresses of accounts: the organization chooser; sign-in itself is allauth's, in our frame."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = []
