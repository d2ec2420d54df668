"""Access: keys, scopes and limits."""
