"""What a third party adds to lumiscope; nothing in lumiscope names it."""
