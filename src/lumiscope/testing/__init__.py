"""For tests, lumiscope's own and those of whoever extends it."""

from lumiscope.testing.fake_row import fake_row

__all__ = ["fake_row"]
