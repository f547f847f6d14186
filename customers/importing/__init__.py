"""Loading customers from a file: reading.py (bytes to rows), checking.py (rows to values or reasons), loading.py (values to tables)."""
