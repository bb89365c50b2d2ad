"""Stains: optical density and unmixing, fluorescence, the nerve signal and the depth it came from."""
