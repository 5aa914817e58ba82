"""The metrics, one file each; found by the registry."""
