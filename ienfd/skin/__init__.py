"""Skin: tissue, its faces, the layers below them, the junction and the three lengths."""
