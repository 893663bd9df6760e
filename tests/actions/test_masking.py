"""Secrets are hidden however they are spelled, and nothing else is."""

import html
import json
import re
import string
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from canvas.actions.masking import MASK, Masker, masker_for
from tests.yardstick import effort

TOKEN = "s3cr3t-token/abc+def=="
HARD = 'pä"ss\\w<ö>rd & 1%\n'

characters = st.characters(exclude_categories=["Cs"])
secrets = st.text(characters, min_size=4, max_size=40).filter(lambda text: len(text.strip()) >= 4)
surroundings = st.text(st.sampled_from(string.ascii_lowercase + " :/&?=\"'{}[],."), max_size=12)
WRITERS = {
    "plain": str,
    "address": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "small hex": lambda text: re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quote(text, "")),
    "json": lambda text: json.dumps(text)[1:-1],
    "json, unescaped": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "orjson": lambda text: orjson.dumps(text).decode()[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[1:-1],
    "json in an address": lambda text: quote(json.dumps(text)[1:-1], safe=""),
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "wrong encoding": lambda text: text.encode().decode("latin-1"),
    "html": html.escape,
    "hexadecimal": lambda text: text.encode().hex(),
}
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(characters),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(characters), inner),
    max_leaves=20,
)


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@given(secret=secrets, before=surroundings, after=surroundings)
@example(secret=TOKEN, before="token=", after="&x=1")
@example(secret=HARD, before='{"a": "', after='"}')
def test_no_spelling_shows_a_secret(writer, secret, before, after):
    """Quoted, escaped, twice escaped, in hexadecimal, and anywhere in a longer text."""
    spelled = writer(secret)

    masked = Masker([secret]).text(f"{before}{spelled}{after}")

    assert MASK in masked
    assert spelled not in masked.replace(before, "", 1)


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode], ids=["standard", "for addresses"])
@given(
    secret=st.text(string.printable, min_size=6, max_size=40).filter(lambda text: len(text.strip()) >= 6),
    user=st.text(string.ascii_letters, max_size=9),
    tail=st.text(string.ascii_letters, max_size=4),
)
def test_base64_shows_no_secret(encode, secret, user, tail):
    """`Basic` with any user's name before the password: what is left of it gives none of the password's characters."""
    encoded = encode(f"{user}:{secret}{tail}".encode()).decode()

    masked = Masker([secret]).text(f"Authorization: Basic {encoded}")

    left, _, right = masked.removeprefix("Authorization: Basic ").partition(MASK)
    assert MASK in masked
    assert encoded.startswith(left) and encoded.endswith(right)
    assert len(left) * 6 // 8 <= len(user) + 1
    assert len(right.rstrip("=")) * 6 // 8 <= len(tail)


@given(value=trees, secret=secrets)
def test_values_without_secrets_are_left_alone(value, secret):
    """The same bytes come out; nothing is parsed or copied."""
    body = orjson.dumps(value)
    mask = Masker([secret])

    if secret not in json.dumps(value, ensure_ascii=False) and mask.value(value) == value:
        assert mask.json(body) == orjson.dumps(orjson.loads(body))


@given(value=trees, secret=secrets, place=st.sampled_from(["text", "key", "deep", "beside"]))
def test_no_place_in_a_value_shows_a_secret(value, secret, place):
    """Texts, keys of objects, and lists in objects in lists; the shape stays."""
    shown = f"it is {secret}!"
    planted = {
        "text": [value, shown],
        "key": {"before": value, shown: 1},
        "deep": [{"a": [[{"b": shown}]]}, value],
        "beside": {"a": shown, "b": shown, shown: shown},
    }[place]

    masked = Masker([secret]).json(orjson.dumps(planted))

    assert orjson.dumps(shown)[1:-1] not in masked
    assert f"it is {MASK}" in masked.decode()
    assert type(planted) is type(orjson.loads(masked))
    assert len(planted) == len(orjson.loads(masked))


@given(value=trees, secret=secrets)
def test_json_text_and_values_are_masked_alike(value, secret):
    """The quick look at the bytes overlooks nothing that the walk through the value finds."""
    mask = Masker([secret])
    body = orjson.dumps({"a": value, "b": [secret]})

    assert mask.value(orjson.loads(body)) == orjson.loads(mask.json(body))


def test_keys_that_become_the_same_are_all_kept():
    """Two objects' keys that differ in the secret only are told apart by a number."""
    masked = Masker(["first-secret", "other-secret"]).value({"x first-secret": 1, "x other-secret": 2})

    assert {f"x {MASK}": 1, f"x {MASK} (2)": 2} == masked


def test_secrets_that_overlap_leave_nothing_of_either():
    """One mask covers both; so it does for neighbours and for one inside the other."""
    mask = Masker(["abcdef", "defghi", "abcd"])

    assert [f"-{MASK}-", f"{MASK}x", f"{MASK} {MASK}"] == [
        mask.text(text) for text in ("-abcdefghi-", "abcdabcdefx", "defghi abcd")
    ]


def test_short_secrets_are_hidden_where_they_stand_alone():
    """A password of three letters would otherwise be found in half of all words."""
    mask = Masker(["abc"])

    assert ["abcd xabc", f"pw={MASK}!", MASK] == [mask.text(text) for text in ("abcd xabc", "pw=abc!", "abc")]


def test_numbers_that_show_a_secret_are_hidden():
    """A code of digits may come back as a number."""
    assert {"code": MASK, "n": 12} == Masker(["483920"]).value({"code": 483920, "n": 12})


@pytest.mark.parametrize(
    ("secret", "part"),
    [
        ("postgresql://canvas:p%40ss-word@db/orders", "p@ss-word"),
        ("postgresql://canvas:p%40ss-word@db/orders", "p%40ss-word"),
        ("https://hooks.example/services/T0/abcdefgh12345678", "abcdefgh12345678"),
        ("https://chat.example/post?key=abcdefgh1", "abcdefgh1"),
        ("-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----", "kqhkiG9w0BAQEF"),
        ("  padded-token\n", "padded-token"),
    ],
)
def test_telling_parts_of_a_secret_are_hidden_too(secret, part):
    """A driver's error names the password of an address alone; a log shows a line of a key."""
    assert f"failed: {MASK}." == Masker([secret]).text(f"failed: {part}.")


def test_what_everybody_knows_of_an_address_stays():
    """The host of a webhook is no secret, or errors would say nothing."""
    mask = Masker(["https://hooks.example/services/T0/abcdefgh12345678"])

    assert "hooks.example cannot be resolved" == mask.text("hooks.example cannot be resolved")


def test_half_a_character_does_no_harm():
    """Text that cannot be written as JSON passes, and a secret with half a character hides what it can."""
    assert "\ud800 x" == Masker(["secret"]).text("\ud800 x")
    assert f"a {MASK}" == Masker(["half \ud800"]).text("a half \ud800")


def test_no_secrets_hide_nothing():
    """Empty texts are no secrets."""
    assert "abc" == Masker(["", ""]).text("abc")
    assert b'"abc"' == Masker([]).json(b'"abc"')


def test_one_mask_is_made_once():
    """A loop that opens the same connection ten thousand times compiles nothing ten thousand times."""
    assert masker_for(frozenset({"one", "two"})) is masker_for(frozenset({"two", "one"}))


def test_large_outputs_cost_a_look():
    """Sixteen MiB without a secret in a fraction of a second, and sixteen more of almost-secrets no more than that."""
    mask = Masker([TOKEN, HARD])
    clean, almost = orjson.dumps(["x" * 1_000] * 16_000), orjson.dumps(TOKEN[:-1] * 800_000)

    assert effort(lambda: mask.json(clean)) < 0.5
    assert effort(lambda: mask.json(almost)) < 0.5


def test_the_time_grows_with_the_output():
    """Four times as much of the worst there is takes about four times as long."""
    mask = Masker([TOKEN, "aaaa"])
    bodies = [orjson.dumps(f"{TOKEN} aaaaaaa " * count) for count in (3_000, 12_000)]
    small, large = (effort(lambda body=body: mask.json(body)) for body in bodies)

    assert large < 10 * small + 0.1
