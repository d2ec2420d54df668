"""Intake: what a user names, found, read, paired with a model and made into plans."""
