"""Fuzzes the pure-Python reader: ``python -m tests.fuzz.fuzz_reader FOLDER [-max_total_time=SECONDS ...]``.

``tox -e fuzz`` runs it for a minute, ``tox -e fuzz -- -max_total_time=3600`` for an hour.  It begins with the replies
of the tests, and keeps in FOLDER what else it finds worth trying; the arguments behind are those of libFuzzer.

An input that breaks a promise is printed, and written to a file ``crash-...`` there.  With that file in the place of
the folder it runs again.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["redis.protocol.reader"]):
    from tests.fuzz.target import check, seeds

#: What RESP is made of, so that the fuzzer need not find it out letter by letter.
WORDS = [
    *(rb"\x0d\x0a", "-1", "inf", "nan", "txt:", "9999999999", "4294967296", "+1", "01"),
    *(rf"{kind}1\x0d\x0a" for kind in "*~%>|$=!:(,"),
    *(rf"{kind}9\x0d\x0a" for kind in "*~%>|$=!:(,"),
]


def prepare(folder: Path) -> list[str]:
    """Write the first inputs and the words into ``folder``; return the arguments that name them."""
    corpus, words = folder / "corpus", folder / "words"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    words.write_text("".join(f'"{word}"\n' for word in WORDS))
    return [f"-dict={words}", f"-artifact_prefix={folder}/", str(corpus)]


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    where = Path(sys.argv[1])
    inputs = [str(where)] if where.is_file() else prepare(where)
    sys.setrecursionlimit(20_000)  # the plain reading recurses
    atheris.Setup([sys.argv[0], "-timeout=10", "-max_len=6000", *sys.argv[2:], *inputs], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
