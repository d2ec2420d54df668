"""Data: landscapes with known truth, and what comes of them."""
