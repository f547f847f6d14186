"""How long a session lives: 12 hours at most, and half an hour without a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

SIGNED_IN_AT: Final = "signed_in_at"
SEEN_AT: Final = "seen_at"
NOTE_EVERY: Final = 5 * 60


class SessionLifetimeMiddleware:
    """Ends old and idle sessions. The last request is noted every five minutes only, so that pages stay free of writes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            self._check(request, int(time.time()))
        return self.get_response(request)

    def _check(self, request: HttpRequest, now: int) -> None:
        session = request.session
        if SIGNED_IN_AT not in session:
            session[SIGNED_IN_AT] = session[SEEN_AT] = now
            UserSession.objects.create_from_request(request)  # listed, however the person came in
        elif now - session[SIGNED_IN_AT] >= settings.SESSION_COOKIE_AGE:
            logout(request)
            messages.info(request, "You were signed in for 12 hours. Sign in once more to go on.")
        elif now - session[SEEN_AT] >= settings.SESSION_IDLE_SECONDS:
            logout(request)
            messages.info(request, "You were signed out because nothing happened for 30 minutes.")
        elif now - session[SEEN_AT] >= NOTE_EVERY:
            session[SEEN_AT] = now
            UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now())
