"""The study: its store, its case table, its biopsies and its tables.

Import from the modules of this room; it is kept light because `ienfd --help` must answer at once.
"""
