"""The composition root: the only place where engine, adapters and bus meet."""
