"""Segmentation of runs of blocks: engines, execution profiles, the pipeline."""
