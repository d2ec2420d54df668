"""The contract between training and service: class schemes, manifests, artefacts."""
