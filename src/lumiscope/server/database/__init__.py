"""What the server knows, in SQLite or PostgreSQL: tables, migrations, and the tokens of its users."""

from lumiscope.server.database.clock import Clock, SystemClock
from lumiscope.server.database.database import Database, DatabaseBusyError
from lumiscope.server.database.editions import in_edition
from lumiscope.server.database.people import People, Person
from lumiscope.server.database.tables import (
    Base,
    ChallengeRow,
    Event,
    Publication,
    Score,
    Submission,
    Token,
    Transition,
    Upload,
    User,
    WorkerRow,
)
from lumiscope.server.database.tokens import SCOPES, has_token_form, new_token, stored_form

__all__ = [
    "SCOPES",
    "Base",
    "ChallengeRow",
    "Clock",
    "Database",
    "DatabaseBusyError",
    "Event",
    "People",
    "Person",
    "Publication",
    "Score",
    "Submission",
    "SystemClock",
    "Token",
    "Transition",
    "Upload",
    "User",
    "WorkerRow",
    "has_token_form",
    "in_edition",
    "new_token",
    "stored_form",
]
