"""The batch: discover the files, plan what is to be done, execute it, collect the tables.

Import from the modules of this room; it is kept light because `ienfd --help` must answer at once.
"""
