"""Where images and ground truth come from: decoding, image sets, and the geometry between an image and its view."""

from lumiscope.images.address import read_bands, read_digest, read_mask, read_pixels
from lumiscope.images.annotations import Annotations, open_annotations
from lumiscope.images.bands import bands_in, choose_bands, holds_bands, shown_triple
from lumiscope.images.complexity import Complexity, edge_strength, measure_complexity
from lumiscope.images.csv_listing import CLASS_SEPARATOR
from lumiscope.images.decode import decode, decode_labels
from lumiscope.images.decoders import DECODERS
from lumiscope.images.file_names import composed
from lumiscope.images.geometry import Geometry, GeometryMode
from lumiscope.images.image_file import ImageFile
from lumiscope.images.image_item import ImageItem
from lumiscope.images.image_set import ImageSet
from lumiscope.images.label_folder import numbers_in
from lumiscope.images.low_level import LowLevel, measure_low_level
from lumiscope.images.mask_file import decode_mask
from lumiscope.images.open_images import open_images
from lumiscope.images.skipped import Skipped
from lumiscope.images.view import View
from lumiscope.images.world_image import WorldImage, names_world, prefetch

__all__ = [
    "CLASS_SEPARATOR",
    "DECODERS",
    "Annotations",
    "Complexity",
    "Geometry",
    "GeometryMode",
    "ImageFile",
    "ImageItem",
    "ImageSet",
    "LowLevel",
    "Skipped",
    "View",
    "WorldImage",
    "bands_in",
    "choose_bands",
    "composed",
    "decode",
    "decode_labels",
    "decode_mask",
    "edge_strength",
    "holds_bands",
    "measure_complexity",
    "measure_low_level",
    "names_world",
    "numbers_in",
    "open_annotations",
    "open_images",
    "prefetch",
    "read_bands",
    "read_digest",
    "read_mask",
    "read_pixels",
    "shown_triple",
]
