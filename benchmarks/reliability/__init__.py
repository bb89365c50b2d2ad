"""Trials of what must never be lost: kills, two people at once, damaged files, studies of many sections."""
