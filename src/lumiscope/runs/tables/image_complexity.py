"""The table `image_complexity`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("image_complexity", "how complex each image is, measured five ways on a copy whose longer side is 256 pixels")
class ImageComplexityRow:
    """How complex one image is; a higher number is more complex."""

    image: str = column("the image")
    segments: float = column("segments by Felzenszwalb and Huttenlocher", low=1)
    edges: float = column("mean slope of the grey values, by Sobel's filter", low=0)
    compression: float = column("size as a PNG", unit="bytes per pixel", low=0)
    entropy: float = column("Shannon entropy of the grey values", unit="bits", low=0, high=8)
    objects: float = column("connected parts of the true mask, of at least 0.1 % of the image; NaN without one", low=0)
