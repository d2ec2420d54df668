"""Training: generated landscapes, networks, the loop, evaluation, export to the contract."""
