"""Networks in plain torch, and what they become to be served."""
