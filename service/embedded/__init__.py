"""The house in one command: a private Redis, workers and the server, started, kept up and gone together."""
