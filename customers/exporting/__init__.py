"""Handing a list of customers out as a file: rows.py (the rule to rows), files.py (rows to bytes), making.py (the worker's part)."""
