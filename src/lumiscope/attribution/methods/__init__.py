"""The attribution methods, one file each; the registry finds them."""
