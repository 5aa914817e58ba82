from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.server.database import Database, People, Token, has_token_form, new_token, stored_form


class Calendar:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 30, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def test_a_token_holds_256_bits_and_a_checksum() -> None:
    text, stored = new_token()
    assert text.startswith("lsk_")
    assert len(text) == 4 + 43 + 6
    assert 62**43 > 2**256
    assert stored == stored_form(text)
    assert text not in stored
    assert has_token_form(text)
    assert new_token()[0] != text


def test_each_slip_of_one_character_is_seen() -> None:
    text, _ = new_token()
    for place in range(len(text)):
        other = "a" if text[place] != "a" else "b"
        assert not has_token_form(text[:place] + other + text[place + 1 :])
    for wrong in ("", "lsk_", text[:-1], text + "a", text.replace("lsk_", "ghp_"), text[:-1] + "é"):
        assert not has_token_form(wrong)


def test_a_token_is_good_for_its_scopes_until_it_expires_or_is_revoked(database: Database) -> None:
    clock = Calendar()
    people = People(database, clock)
    text = people.issue("ada", ("submit",), days=10)
    person = people.person(text)
    assert person is not None
    assert (person.name, person.scopes, person.expires_soon) == ("ada", {"submit"}, False)
    clock.time += timedelta(days=9)
    assert people.person(text).expires_soon
    clock.time += timedelta(days=1)
    assert people.person(text) is None
    lasting = people.issue("ada")
    assert people.person(lasting).scopes == {"read", "submit"}
    people.revoke(people.tokens("ada")[0].id)
    assert people.person(lasting) is None


def test_the_database_holds_no_token(database: Database) -> None:
    text = People(database).issue("ada")
    with database.reading() as session:
        token = session.scalars(select(Token)).one()
    assert token.digest == stored_form(text)
    assert token.start == text[:10]
    assert text not in repr(vars(token))


def test_a_disabled_user_has_no_good_token(database: Database) -> None:
    people = People(database)
    text = people.issue("ada")
    people.disable("ada")
    assert people.person(text) is None
    with pytest.raises(UnknownNameError, match="did you mean ada"):
        people.disable("Ada")


def test_unknown_and_malformed_tokens_are_nobodys(database: Database) -> None:
    assert People(database).person(new_token()[0]) is None
    assert People(database).person("' OR 1=1 --") is None


@pytest.mark.parametrize("name", ["", "a" * 65, "a\x00b", "a\nb", " a", "\x1b[31m"])
def test_names_that_cannot_be_read_are_refused(database: Database, name: str) -> None:
    with pytest.raises(UsageError, match="1 to 64 characters"):
        People(database).add(name)


def test_scopes_and_days_are_checked(database: Database) -> None:
    people = People(database)
    with pytest.raises(UnknownNameError, match="did you mean admin"):
        people.issue("ada", ("admn",))
    for scopes, days in (((), None), (("read",), 0), (("read",), float("nan"))):
        with pytest.raises(UsageError, match="days above 0"):
            people.issue("ada", scopes, days)
    assert people.users() == []
