"""Adaptation to territories without labels, or with few: one method a file, one small protocol."""
