"""redis/protocol/masking.py: what a server repeats of a secret, and what a failed encoding keeps of one."""

import pickle

import pytest

from redis.protocol.masking import FIRST_WORDS, SECRETIVE, hide_secret, hide_text, stay_here, without_secrets

REPEATED = [
    (
        "ERR unknown command 'AUTH', with args beginning with: 'ann' 'hidden' ",
        "ERR unknown command 'AUTH', with args beginning with: ...",
    ),
    (
        "ERR unknown command `config`, with args beginning with: `set`, `requirepass`, `hidden`, ",
        "ERR unknown command `config`, with args beginning with: ...",
    ),
    (
        "ERR Error in ACL SETUSER modifier '<hidden': The password you are trying to remove ...",
        "ERR Error in ACL SETUSER modifier '...': The password you are trying to remove ...",
    ),
    (
        "ERR Error in ACL SETUSER modifier '>it's: hidden': Syntax error",
        "ERR Error in ACL SETUSER modifier '...': Syntax error",
    ),
    ("ERR Error in ACL SETUSER modifier '(~* >hidden)': x", "ERR Error in ACL SETUSER modifier '...': x"),
    ("ERR Syntax error in HELLO option 'hidden'", "ERR Syntax error in HELLO option '...'"),
]
KEPT = [
    "ERR unknown command 'GETT', with args beginning with: 'k' ",
    "ERR unknown command 'AUTH'",
    "ERR unknown command 'AUTHOR', with args beginning with: 'k' ",
    "ERR Error in ACL SETUSER modifier '+gett': Unknown command or category name in ACL",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
    "",
]


@pytest.mark.parametrize(("text", "shown"), REPEATED)
def test_what_is_repeated_is_left_out(text, shown):
    assert without_secrets(text) == shown


@pytest.mark.parametrize("text", KEPT)
def test_all_other_words_stay(text):
    assert without_secrets(text) == text


def test_the_first_words_are_those_of_the_names():
    assert {name.split()[0] for name in SECRETIVE} == FIRST_WORDS


def failed(text):
    try:
        text.encode("ascii")
    except UnicodeEncodeError as error:
        return error
    raise AssertionError("it was encoded")


@pytest.mark.parametrize(
    "command", [("AUTH", "x"), (b"auth", "x"), ("Config Set", "x"), (bytearray(b"HELLO"),), ("ACL", "SETUSER")]
)
def test_a_text_that_cannot_be_encoded_is_taken_out_of_the_error(command):
    error = failed("hidden-ä")
    hide_secret(error, [("GET", "k"), command])
    assert "hidden" not in repr(error) + str(vars(error)) + error.object
    assert str(error) == "'ascii' codec can't encode characters in position 0-2: ordinal not in range(128)"
    assert b"hidden" not in pickle.dumps(error)


@pytest.mark.parametrize("commands", [[], [()], [("GET", "AUTH")], [("SET", "k", "v"), (b"AUTHOR",)]])
def test_other_commands_have_no_secrets(commands):
    error = failed("shown-ä")
    hide_secret(error, commands)
    assert error.object == "shown-ä"


def test_the_reason_stays():
    error = failed("ä")
    hide_text(error)
    assert (error.encoding, error.reason) == ("ascii", "ordinal not in range(128)")


def test_what_stays_here():
    class Keeper:
        __getstate__ = stay_here

    with pytest.raises(TypeError, match=r"^this Keeper cannot be pickled or copied"):
        pickle.dumps(Keeper())
