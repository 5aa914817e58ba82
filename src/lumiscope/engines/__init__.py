"""Where work is done: an ordered map over tasks that name what they work on, so that they can be done anywhere."""

from lumiscope.engines.local import Failure, LocalEngine, WorkPlace
from lumiscope.engines.task import Report, Task

__all__ = ["Failure", "LocalEngine", "Report", "Task", "WorkPlace"]
