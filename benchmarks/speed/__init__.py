"""How long a whole section takes, and how much memory."""
