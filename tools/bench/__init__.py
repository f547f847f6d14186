"""How fast the pages are with many customers, against the bare SQL and against stock peers: `make bench`."""
