"""The folder of a server: its database, its challenges, and the secret that signs sessions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from lumiscope.errors import UsageError
from lumiscope.files import make_folder, write_atomically, writing
from lumiscope.progress import Track, silent
from lumiscope.server.baselines import write_baselines
from lumiscope.server.challenges import Challenge, make_world_challenge, open_challenge
from lumiscope.server.challenges.making import WORLD

SECRET_BYTES = 32
DATABASE = "server.sqlite"


@dataclass(frozen=True)
class ServerFolder:
    """`path`: of it. `database`: a URL of SQLAlchemy; "" for SQLite in this folder."""

    path: Path
    database: str = ""

    @property
    def database_url(self) -> str:
        """As given, or the file of SQLite."""
        return self.database or f"sqlite:///{(self.path / DATABASE).absolute()}"

    @property
    def challenge_folder(self) -> Path:
        """Where challenges lie, one folder each."""
        return self.path / "challenges"

    def make(self, track: Track = silent) -> None:
        """Make what is missing: the folder (its owner's alone), the secret, and a challenge: the built-in one."""
        make_folder(self.challenge_folder)
        with writing(self.path):
            self.path.chmod(0o700)
        if not self._secret_path.exists():
            write_atomically(self._secret_path, secrets.token_bytes(SECRET_BYTES))
            with writing(self._secret_path):
                self._secret_path.chmod(0o600)
        if not any(self.challenge_folder.iterdir()):
            write_baselines(make_world_challenge(self.challenge_folder / WORLD), track)

    @property
    def secret(self) -> bytes:
        """What sessions and forms are signed with. Errors: `UsageError` where no server was set up here."""
        try:
            return self._secret_path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"expected the folder of a server; {self.path} is none ({error.strerror}). "
                f"`lumiscope serve --dir {self.path}` makes one."
            ) from error

    def check(self) -> None:
        """Errors: `UsageError` where no server was set up here."""
        _ = self.secret

    def challenges(self) -> dict[str, Challenge]:
        """Name -> challenge, by name. Errors: `UsageError` for a folder that holds none, and for two of one name."""
        opened: dict[str, Challenge] = {}
        for folder in sorted(path for path in self.challenge_folder.iterdir() if path.is_dir()):
            challenge = open_challenge(folder)
            if challenge.name in opened:
                other = opened[challenge.name].folder
                raise UsageError(f"{folder} and {other} both hold the challenge {challenge.name}")
            opened[challenge.name] = challenge
        return dict(sorted(opened.items()))

    @property
    def _secret_path(self) -> Path:
        return self.path / "secret"
