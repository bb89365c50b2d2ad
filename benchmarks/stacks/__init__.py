"""What a z-stack is worth beside its projection."""
