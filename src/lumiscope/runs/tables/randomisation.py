"""The table `randomisation`."""

from __future__ import annotations

from enum import StrEnum

from lumiscope.runs.table import column, table


class Randomised(StrEnum):
    """What is put in the place of what was trained, or asked for."""

    PARAMETERS = "parameters"
    TARGET = "target"


class Dependence(StrEnum):
    """Whether maps change with it: a flag, which ranks nothing."""

    NETWORK = "depends on the network"
    NO_NETWORK = "does not depend on the network's parameters"
    CLASS = "depends on the class"
    NO_CLASS = "does not depend on the class"
    CANNOT_TELL = "cannot be told"


@table(
    "randomisation", "each method, by model: whether its maps change with the network's parameters and with the class"
)
class RandomisationRow:
    """One method, and how alike its maps are before and after everything trained is random, or for another class."""

    model: str = column("the model")
    method: str = column("the method")
    kind: Randomised = column("what was randomised: all parameters of the network, or the class that is explained")
    networks: int = column("random networks that gave maps; 0 for another class, where the network stays", low=0)
    images: int = column("images on which maps could be compared", low=0)
    similarity: float = column(
        "mean rank correlation, on 14 x 14 cells, of the maps before and after, for the same class or by the same "
        "network; NaN where it is undefined",
        low=-1,
        high=1,
    )
    low: float = column("lower end of its 95 % interval over images", low=-1, high=1)
    high: float = column("upper end of that interval", low=-1, high=1)
    ceiling: float = column(
        "the same of the method's maps under two seeds; 1 for one that draws nothing", low=-1, high=1
    )
    chance: float = column("the same of the trained network's maps of two different images", low=-1, high=1)
    share: float | None = column(
        "share of the random networks whose maps are as similar as those under another seed; null for another class",
        low=0,
        high=1,
    )
    verdict: Dependence = column("what that says, in words")
    reason: str = column("why")
