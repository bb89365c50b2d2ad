"""Small networks that have learned from synthetic sections, and how one is applied."""
