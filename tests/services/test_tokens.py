"""API tokens: what they are worth, when they are worth nothing, and what is kept of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from canvas.domain.errors import Invalid
from canvas.services import tokens, views
from canvas.services.access import Actor, Role
from models import ApiToken

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def made(session: Session) -> tokens.NewToken:
    """A token of an operator that ends in an hour."""
    return tokens.create_token(session, "ci", Role.OPERATOR, now=NOON, expires_at=NOON + timedelta(hours=1))


def test_whoever_has_the_secret_acts_with_its_role(session: Session, made: tokens.NewToken):
    """Under the token's name, so that runs tell who started them."""
    assert Actor("token:ci", Role.OPERATOR) == tokens.recognise(session, made.secret, now=NOON).actor


def test_nothing_that_is_kept_gives_the_secret_back(session: Session, made: tokens.NewToken):
    """The table holds a hash and the first six random characters; 222 random bits are nowhere."""
    (row,) = session.exec(select(ApiToken)).all()

    assert (64, made.secret[:13]) == (len(row.hash), row.prefix)
    assert made.secret not in str(row.model_dump())
    assert made.secret[13:] not in str(views.token_rows(session, now=NOON))
    assert 43 == len(made.secret.removeprefix("canvas_"))


def test_two_secrets_are_never_alike(session: Session):
    """Each is drawn anew."""
    secrets = {tokens.create_token(session, f"t{n}", Role.VIEWER, now=NOON).secret for n in range(20)}

    assert 20 == len(secrets)


def test_a_secret_that_only_begins_right_is_refused(session: Session, made: tokens.NewToken):
    """The prefix everybody may see opens nothing, nor does any other ending."""
    for wrong in (made.secret[:13], made.secret[:-1], made.secret + "x", made.secret[:-1] + "~", made.secret.upper()):
        with pytest.raises(tokens.InvalidToken):
            tokens.recognise(session, wrong, now=NOON)


def test_no_other_text_is_a_token(session: Session, made: tokens.NewToken):
    """Whatever is sent, the answer is one clear refusal."""

    @given(st.text() | st.text().map(lambda text: made.secret[:13] + text))
    def refuse(text: str):
        with pytest.raises(tokens.InvalidToken):
            tokens.recognise(session, text, now=NOON)

    refuse()


def test_it_ends_when_it_says(session: Session, made: tokens.NewToken):
    """At the very moment, not a second later; the sentence names the token."""
    tokens.recognise(session, made.secret, now=NOON + timedelta(minutes=59, seconds=59))
    with pytest.raises(tokens.TokenExpired, match="'ci' expired"):
        tokens.recognise(session, made.secret, now=NOON + timedelta(hours=1))


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_revoked_token_is_worth_nothing(session: Session, made: tokens.NewToken, by: str):
    """Its name is free again; the row stays for whoever asks later what acted."""
    tokens.revoke_token(session, made.id if by == "id" else "ci", now=NOON)

    with pytest.raises(tokens.TokenRevoked):
        tokens.recognise(session, made.secret, now=NOON)
    with pytest.raises(tokens.TokenNotFound):
        tokens.revoke_token(session, "ci", now=NOON)
    again = tokens.create_token(session, "ci", Role.ADMIN, now=NOON)
    assert Role.ADMIN == tokens.recognise(session, again.secret, now=NOON).actor.role
    assert [again.id] == [row.id for row in views.token_rows(session, now=NOON)]
    assert {made.id, again.id} == {row.id for row in views.token_rows(session, now=NOON, with_revoked=True)}


def test_two_tokens_never_share_a_name(session: Session, made: tokens.NewToken):
    """A run that says `token:ci` says which one."""
    with pytest.raises(tokens.TokenNameTaken):
        tokens.create_token(session, " ci ", Role.VIEWER, now=NOON)


@pytest.mark.parametrize(
    ("name", "expires_at"),
    [("", None), ("  ", None), ("x" * 81, None), ("a\nb", None), ("late", NOON), ("x", NOON - MINUTE)],
)
def test_what_makes_no_token_is_refused(session: Session, name: str, expires_at: datetime | None):
    """With a sentence; nothing is kept."""
    with pytest.raises(Invalid):
        tokens.create_token(session, name, Role.VIEWER, now=NOON, expires_at=expires_at)
    assert [] == views.token_rows(session, now=NOON)


def test_use_is_noted_at_most_once_a_minute(session: Session, made: tokens.NewToken):
    """A busy program costs one write a minute, whoever of two processes is later."""
    moments = [NOON, NOON + MINUTE - timedelta(seconds=1), NOON + MINUTE]
    worth, noted = [], []
    for moment in moments:
        worth.append(tokens.recognise(session, made.secret, now=moment).is_worth_noting)
        tokens.note_use(session, made.id, now=moment)
        session.expire_all()
        noted.append(views.token_rows(session, now=moment)[0].last_used_at)

    assert [True, False, True] == worth
    assert [NOON, NOON, NOON + MINUTE] == noted
