"""What the tests of this folder share; see `gui_fixtures`."""

from gui_fixtures import analyzed, pytest_collection_modifyitems, settle, study, viewer

__all__ = ["analyzed", "pytest_collection_modifyitems", "settle", "study", "viewer"]
