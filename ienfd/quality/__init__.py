"""Checks that flag, withhold or refuse, each with a code from `ienfd.reasons`."""
