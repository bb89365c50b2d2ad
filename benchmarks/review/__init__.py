"""How fast the review is in a running viewer."""
