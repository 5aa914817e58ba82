"""The commands, one file each; `add_to(app)` registers it."""
