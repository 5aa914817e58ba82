"""Where images and ground truth come from: decoding, image sets, and the geometry between an image and its view."""

from lumiscope.images.decode import decode, decode_mask
from lumiscope.images.geometry import Geometry, GeometryMode
from lumiscope.images.image_item import ImageItem
from lumiscope.images.image_set import ImageSet
from lumiscope.images.open_images import open_images
from lumiscope.images.skipped import Skipped
from lumiscope.images.view import View

__all__ = [
    "Geometry",
    "GeometryMode",
    "ImageItem",
    "ImageSet",
    "Skipped",
    "View",
    "decode",
    "decode_mask",
    "open_images",
]
