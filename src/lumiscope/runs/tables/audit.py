"""The tables `audit` and `map_clusters`."""

from __future__ import annotations

from lumiscope.runs.table import column, table

ALL_IMAGES = "all images"
"""The group of the table `audit` that has every image."""


@table("audit", "each method and group of images: the place of the view that draws most weight beyond its mirror image")
class AuditRow:
    """Whether there is a place that a model looks at whatever the pictures show: a stamp, a logo, a mark."""

    model: str = column("the model")
    method: str = column("the method")
    group: str = column("the class that is explained, or all images")
    images: int = column("images of the group whose maps show anything", low=6)
    witnesses: int = column("how many observations these are: classes where there are at least 10", low=1)
    place: str = column("where that place is on the view, in words")
    left: float = column("its left end, share of the width", low=0, high=1)
    top: float = column("its upper end, share of the height", low=0, high=1)
    right: float = column("its right end", low=0, high=1)
    bottom: float = column("its lower end", low=0, high=1)
    area: float = column("its share of the view", low=0, high=1)
    weight: float = column("mean share of the maps' positive weight that lies there", low=0, high=1)
    mirrored: float = column("the same of its mirror image", low=0, high=1)
    p_value: float = column("that no place draws more than its mirror image, or not twice as much", low=0, high=1)
    typical: str = column("id of the image with the median weight there")


@table("map_clusters", "each method, class and cluster of maps that look at the same place of the view")
class MapClusterRow:
    """Maps of one class that lie at the same place; observed, not tested."""

    model: str = column("the model")
    method: str = column("the method")
    group: str = column("the class that is explained")
    cluster: int = column("its number in the class, from 1, the largest first", low=1)
    images: int = column("how many maps it has", low=1)
    of: int = column("how many the class has", low=1)
    medoid: str = column("id of the image whose map is most like the others")
    place: str = column("where its maps have most weight, in words")
    area: float = column("share of the view of that place: cells with half of the most weight", low=0, high=1)
    weight: float = column("mean share of its maps' positive weight that lies there", low=0, high=1)
    others: float = column("the same of all other maps of the method; NaN where there are none", low=0, high=1)
