"""Orthoscape's service: from orthophotos to a land-cover map, block by block."""
