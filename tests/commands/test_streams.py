"""What the facts say of the commands on streams that wait, whatever a group, a consumer or a stream is called."""

import pytest

from redis.commands.spec import SPECS, keys_of, waiting_time

XREAD, XREADGROUP = SPECS["XREAD"], SPECS["XREADGROUP"]


@pytest.mark.parametrize(
    ("spec", "words", "time", "keys"),
    [
        (XREAD, "XREAD STREAMS a 0", None, "a"),
        (XREAD, "XREAD BLOCK 1500 STREAMS a b 0 0", 1.5, "a b"),
        (XREAD, "xread count 5 block 0 streams a 0", float("inf"), "a"),
        (XREAD, "XREAD STREAMS BLOCK 5", None, "BLOCK"),
        (XREAD, "XREAD STREAMS a BLOCK 5 0", None, "a BLOCK"),
        (XREADGROUP, "XREADGROUP GROUP BLOCK 5 STREAMS a >", None, "a"),
        (XREADGROUP, "XREADGROUP GROUP g BLOCK STREAMS a >", None, "a"),
        (XREADGROUP, "XREADGROUP GROUP STREAMS BLOCK COUNT 5 BLOCK 2000 NOACK STREAMS a >", 2.0, "a"),
        (XREADGROUP, "XREADGROUP NOACK BLOCK 2000 GROUP g c CLAIM 5 STREAMS STREAMS >", 2.0, "STREAMS"),
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_the_time_and_the_keys(spec, words, time, keys, as_bytes):
    sent = [word.encode() if as_bytes else word for word in words.split()]
    expected = [key.encode() if as_bytes else key for key in keys.split()]
    assert waiting_time(spec, sent) == time
    assert keys_of(spec, sent) == expected


def test_words_that_name_no_streams():
    assert waiting_time(XREAD, ["XREAD", "COUNT", 5]) is None
    assert waiting_time(XREAD, ["XREAD", "BLOCK"]) is None
    with pytest.raises(ValueError, match="there is no STREAMS"):
        keys_of(XREAD, ["XREAD", "COUNT", 5])
