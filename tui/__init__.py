"""The console: a bus client that shows the core and holds the cord. It never predicts; it repeats what it was told."""
