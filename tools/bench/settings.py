"""The console's own settings, and Django's admin beside it as a peer to measure against."""

from lendconsole.settings import *  # noqa: F403  # that is what the module is for
from lendconsole.settings import DATABASES, INSTALLED_APPS, database, env

DEBUG = False
ALLOWED_HOSTS = ["testserver"]
SECURE_SSL_REDIRECT = False
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]
ROOT_URLCONF = "tools.bench.urls"
DATABASES = {**DATABASES, "owner": database("DATABASE_OWNER_URL", env.str("DATABASE_OWNER_URL"))}
# What the jobs of the worker are told stays here: they are done by hand, and a worker of the demo must not try.
CELERY_BROKER_URL = "memory://nobody"
