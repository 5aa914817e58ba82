"""What a program asks a server with: typed, one error for everything that the server refuses."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from pydantic import BaseModel, TypeAdapter, ValidationError

from lumiscope.errors import LumiscopeError
from lumiscope.server._views import BoardView, ChallengeView, SubmissionPage, SubmissionView

SECONDS = 30.0  # for an answer
POLL = 1.0
Model = TypeVar("Model", bound=BaseModel)


class ServerError(LumiscopeError):
    """The server refused, or was not there. `status`: 0 where no answer came. `faults`: where, expected, came."""

    def __init__(self, message: str, status: int = 0, faults: tuple[Mapping[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.faults = faults


class Client:
    """A server at `url`, such as http://127.0.0.1:8000. `token`: of a submitter, for all that is not public.

    `transport`: another way to reach it, for tests.
    """

    def __init__(self, url: str, token: str | None = None, *, transport: httpx2.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.Client(base_url=url.rstrip("/"), headers=headers, timeout=SECONDS, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def challenges(self) -> list[ChallengeView]:
        """All challenges."""
        return TypeAdapter(list[ChallengeView]).validate_json(self._get("/api/v1/challenges"))

    def challenge(self, name: str) -> ChallengeView:
        """One of them."""
        return self._read(ChallengeView, self._get(f"/api/v1/challenges/{name}"))

    def leaderboard(self, challenge: str) -> BoardView:
        """All that is ranked, the best first."""
        return self._read(BoardView, self._get(f"/api/v1/challenges/{challenge}/leaderboard"))

    def template(self, challenge: str, method: str | None = None) -> bytes:
        """Parameters of a method to edit, JSON; of the challenge's first, if none is named."""
        given = {"method": method} if method else {}
        return self._asked("GET", f"/api/v1/challenges/{challenge}/template", params=given)

    def public_part(self, challenge: str) -> bytes:
        """A zip file: all pictures of the challenge, and the true masks of the public ones."""
        return self._get(f"/api/v1/challenges/{challenge}/public.zip")

    def hand_in(self, challenge: str, name: str, content: bytes, *, again: bool = False) -> SubmissionView:
        """Hand in a file. The same bytes are the same submission, unless they are handed in `again`."""
        key = hashlib.sha256(challenge.encode() + b"\0" + content).hexdigest()
        headers = {} if again else {"Idempotency-Key": key}
        answer = self._asked(
            "POST", f"/api/v1/challenges/{challenge}/submissions", files={"file": (name, content)}, headers=headers
        )
        return self._read(SubmissionView, answer)

    def hand_in_file(self, challenge: str, file: Path) -> SubmissionView:
        """Hand in a file on disk."""
        return self.hand_in(challenge, file.name, file.read_bytes())

    def submission(self, number: int) -> SubmissionView:
        """One of your submissions."""
        return self._read(SubmissionView, self._get(f"/api/v1/submissions/{number}"))

    def submissions(self, challenge: str | None = None) -> Iterator[SubmissionView]:
        """All your submissions, the newest first."""
        before: int | None = None
        while True:
            given = {"challenge": challenge, "before": before}
            known = {name: value for name, value in given.items() if value is not None}
            page = self._read(SubmissionPage, self._asked("GET", "/api/v1/submissions", params=known))
            yield from page.items
            if page.next is None:
                return
            before = page.next

    def follow(self, number: int) -> Iterator[SubmissionView]:
        """A submission whenever it changes, until it is scored, rejected, failed or cancelled."""
        before: SubmissionView | None = None
        while True:
            view = self.submission(number)
            if view != before:
                yield view
                before = view
            if view.ended:
                return
            time.sleep(POLL)

    def cancel(self, number: int) -> SubmissionView:
        """Cancel a submission that is not scored yet."""
        return self._read(SubmissionView, self._asked("DELETE", f"/api/v1/submissions/{number}"))

    def _get(self, path: str) -> bytes:
        return self._asked("GET", path)

    def _asked(self, method: str, path: str, **content: Any) -> bytes:
        try:
            answer = self._http.request(method, path, **content)
        except httpx2.HTTPError as error:
            raise ServerError(f"no answer from {self._http.base_url}: {error}. Is the server running?") from error
        if answer.status_code < 400:
            return answer.content
        try:
            said = answer.json()
            faults = tuple(said["faults"])
            message = str(said["message"])
        except (ValueError, KeyError, TypeError):
            faults, message = (), f"the server answered {answer.status_code}"
        raise ServerError(message, answer.status_code, faults)

    def _read(self, kind: type[Model], content: bytes) -> Model:
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise ServerError(f"{self._http.base_url} answers in a way that is not lumiscope's: {error}") from error
