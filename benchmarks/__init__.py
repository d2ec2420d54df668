"""Measurements of Orthoscape on the machine at hand; ``python -m benchmarks.run`` makes them all."""
