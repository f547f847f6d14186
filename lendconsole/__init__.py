"""The roof: settings, URLs, start-up, commands. Importing it makes the Celery app, so that tasks bind to it everywhere."""

from lendconsole.celery import app as celery_app

__all__ = ["celery_app"]
