"""Training sets out of orthophotos and annotations: patches, splits by area, metadata, a STAC catalogue."""
