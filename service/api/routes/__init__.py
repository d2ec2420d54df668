"""Routes of the service, one module a subject, each with its ``router``."""
