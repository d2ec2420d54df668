"""Import of published weights: a checkpoint that others trained becomes an artefact that the service runs."""
