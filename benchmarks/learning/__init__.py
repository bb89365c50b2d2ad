"""What `ienfd train` is worth."""
