"""Review in napari: look at what was decided, correct it, and sign.

`queue`, `desk`, `sheet`, `tour`, `concerns`, `explain`, `blind` and `reviewer` know neither napari nor
Qt; `layers` turns a sheet into the data of layers; `canvas` shows them in a viewer, with or without a
window; `panels` holds the widgets. Nothing else in ienfd imports napari or Qt.
"""
