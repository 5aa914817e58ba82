"""Isolation: uploads are decoded and scored in a child process that can do nothing else."""

from lumiscope.server.isolation.bubblewrap import Bubblewrap
from lumiscope.server.isolation.choose import KINDS, choose_isolation, prove
from lumiscope.server.isolation.isolation import GUARANTEES, Isolation
from lumiscope.server.isolation.landlock import Landlock
from lumiscope.server.isolation.limits import TORCH_BYTES, ChildLimits
from lumiscope.server.isolation.result import ChildResult
from lumiscope.server.isolation.rlimits import Rlimits
from lumiscope.server.isolation.run import run_child

__all__ = [
    "GUARANTEES",
    "KINDS",
    "TORCH_BYTES",
    "Bubblewrap",
    "ChildLimits",
    "ChildResult",
    "Isolation",
    "Landlock",
    "Rlimits",
    "choose_isolation",
    "prove",
    "run_child",
]
