"""lumiscope: what an image classifier sees, and how far that can be believed."""
