"""What is handed in for a challenge: read within bounds, without running anything, and with every fault named."""

from lumiscope.server.hand_ins.faults import Fault, HandInRefused
from lumiscope.server.hand_ins.hand_in import HandIn
from lumiscope.server.hand_ins.reading import ENDINGS, read_hand_in
from lumiscope.server.hand_ins.templates import template

__all__ = ["ENDINGS", "Fault", "HandIn", "HandInRefused", "read_hand_in", "template"]
