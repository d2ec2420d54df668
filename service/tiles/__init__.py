"""Tiles: z/x/y pictures of class rasters, from blocks while a job runs and from products afterwards."""
