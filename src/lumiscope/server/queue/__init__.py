"""The queue: from bytes that somebody hands in to a verdict, whatever breaks on the way."""

from lumiscope.server.queue.challenges import ChallengeFacts
from lumiscope.server.queue.claims import Claimed, ClaimLostError, WorkerOutdatedError
from lumiscope.server.queue.queue import Queue
from lumiscope.server.queue.quotas import Quota, QuotaError
from lumiscope.server.queue.reception import KeyReusedError
from lumiscope.server.queue.rescoring import Difference, Rescoring
from lumiscope.server.queue.states import NEXT, UNDER_WAY, State, TransitionError
from lumiscope.server.queue.verdicts import VerdictError
from lumiscope.server.queue.waiting import Step, Timeline
from lumiscope.server.queue.worker import Pulse, Run, Worker

__all__ = [
    "NEXT",
    "UNDER_WAY",
    "ChallengeFacts",
    "ClaimLostError",
    "Claimed",
    "Difference",
    "KeyReusedError",
    "Pulse",
    "Queue",
    "Quota",
    "QuotaError",
    "Rescoring",
    "Run",
    "State",
    "Step",
    "Timeline",
    "TransitionError",
    "VerdictError",
    "Worker",
    "WorkerOutdatedError",
]
