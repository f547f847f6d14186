"""How long a session lives: 12 hours at most, and half an hour without a request; less where an organization says so.

What the organizations that were visited in a session ask for is kept in it, so that the strictest of them holds for the
whole login: a page of one's own account would otherwise prolong what the organization wants to end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import Organization

SIGNED_IN_AT: Final = "signed_in_at"
SEEN_AT: Final = "seen_at"
NOTE_EVERY: Final = 5 * 60
LIMITS: Final = "session_limits"


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
            return
        if _end_if_over(request, now):
            return
        idle, _ = _limits(session)
        if now - session[SEEN_AT] >= min(NOTE_EVERY, idle // 6):
            request.idle_since = session[SEEN_AT]  # type: ignore[attr-defined]  # for keep_session_limits
            session[SEEN_AT] = now
            UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now())


def keep_session_limits(request: HttpRequest, organization: Organization) -> bool:
    """Hold the session to the organization's limits from now on. False when it is over by them, and was ended."""
    session = request.session
    limits = [organization.session_idle_minutes * 60, organization.session_hours * 3600]
    known = session.get(LIMITS, {})
    if known.get(str(organization.pk), [settings.SESSION_IDLE_SECONDS, settings.SESSION_COOKIE_AGE]) == limits:
        return True
    session[LIMITS] = {**known, str(organization.pk): limits}
    return not _end_if_over(request, int(time.time()), seen_at=getattr(request, "idle_since", None))


def _limits(session: SessionBase) -> tuple[int, int]:
    """Seconds without a request, and seconds at all: the smallest of those that apply."""
    every = [[settings.SESSION_IDLE_SECONDS, settings.SESSION_COOKIE_AGE], *session.get(LIMITS, {}).values()]
    return min(idle for idle, _ in every), min(longest for _, longest in every)


def _end_if_over(request: HttpRequest, now: int, *, seen_at: int | None = None) -> bool:
    session = request.session
    idle, longest = _limits(session)
    if now - session[SIGNED_IN_AT] >= longest:
        sentence = f"You were signed in for {_written(longest)}. Sign in once more to go on."
    elif now - (seen_at or session[SEEN_AT]) >= idle:
        sentence = f"You were signed out because nothing happened for {_written(idle)}."
    else:
        return False
    logout(request)
    messages.info(request, sentence)
    return True


def _written(seconds: int) -> str:
    if seconds < 3600:
        return f"{seconds // 60} minutes"
    hours = seconds // 3600
    return "1 hour" if hours == 1 else f"{hours} hours"
