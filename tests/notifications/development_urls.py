"""The addresses as a development machine has them: tests run as in production."""

from __future__ import annotations

from lendconsole.urls import development_urlpatterns
from lendconsole.urls import urlpatterns as everywhere

urlpatterns = [*everywhere, *development_urlpatterns]
