"""What a person changes: commands that can be undone, and the result that follows from them."""
