"""Embedded: a private Redis and workers as children of one command."""
