"""The revisions of the store, oldest first; they go forward only."""
