"""Changing many customers at once.

writing.py: a portion as statements over sets; telling.py: its e-mails; carrying.py: what a portion means; running.py: the worker.
"""
