"""Signing in and out."""

from __future__ import annotations

from tests.browser.conftest import Newcomer
from tests.world import Lender


def test_signing_in_and_out(kudi: Lender, browser: Newcomer) -> None:
    ada = browser()
    ada.sign_in(kudi["admin"])
    ada.heading("Dashboard")
    ada.shoot("dashboard")


def test_again(kudi: Lender, browser: Newcomer) -> None:
    ada = browser()
    ada.sign_in(kudi["admin"])
    ada.heading("Dashboard")
