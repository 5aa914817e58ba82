"""What gives pixels and masks: whatever is computed from images is made by these, too."""

from lumiscope.images.image_file import ImageFile
from lumiscope.images.world_image import WorldImage

DECODERS = (ImageFile, WorldImage)
