"""The metrics, one file a question; found by the registry."""
