"""The command line: one small file per command under `commands`, no logic."""

from lumiscope.cli.main import main

__all__ = ["main"]
