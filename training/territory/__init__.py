"""A model adapted to a territory: from an artefact and a folder of orthophotos to a new artefact."""
