"""Workers: they come when the bell rings, lease what there is, and make blocks, sheets and pictures."""
