"""`gunicorn lendconsole.wsgi`, without --preload: the pool of database connections must not be shared by a fork."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from lendconsole.devstack import bootstrap

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lendconsole.settings")
bootstrap.bring_up()
application = get_wsgi_application()
