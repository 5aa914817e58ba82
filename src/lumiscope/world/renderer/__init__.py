"""The renderer: pictures of the world with per-pixel truth, each made from its seed and index alone."""
