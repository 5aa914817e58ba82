"""LIME's parameters: files of them, and the search for good ones."""
