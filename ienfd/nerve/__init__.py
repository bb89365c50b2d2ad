"""Nerves: line contrast, fibers as a graph, dendritic cells, and whether nerves are stained at all."""
