"""Maps: block files, finished products, certificates, provenance."""
