"""Vector sets: a key and elements, each with a vector, which are found by their likeness to another vector.

This module owns the commands of https://redis.io/docs/latest/develop/data-types/vector-sets/.  A vector is a sequence
of floats, or bytes: its numbers as 32-bit floats, the least significant byte first.  The attributes of an element are
JSON; here they are what ``json`` makes of that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from redis.commands.args import choice, flag_words, option_words
from redis.commands.group import Group
from redis.commands.replies import native_str, pairs_of
from redis.commands.spec import command
from redis.exceptions import DataError
from redis.typing import EncodableT, KeyT, T

VectorT = bytes | bytearray | memoryview | Sequence[float]


def parsed_attributes(response: Any) -> Any:
    """Return what the JSON of an element means; a text that is no JSON as a str, None as it is."""
    if response is None:
        return None
    text = native_str(response)
    try:
        return json.loads(text)
    except ValueError:
        return text


def similar_elements(response: Any, with_scores: bool = False, with_attribs: bool = False, **options: Any) -> Any:
    """Return the elements as a list, or as a dict of what was asked for with them, the most similar first."""
    if not (with_scores or with_attribs):
        return response
    pairs = pairs_of(response) if with_scores != with_attribs else scores_and_attributes(response)
    if with_scores and with_attribs:
        return {name: {"score": float(score), "attributes": parsed_attributes(text)} for name, (score, text) in pairs}
    return {name: float(value) if with_scores else parsed_attributes(value) for name, value in pairs}


def scores_and_attributes(response: Any) -> Any:
    """Return the pairs of an element and what belongs to it, of a map or of a flat list of three by three."""
    if isinstance(response, Mapping):
        return response.items()
    return zip(response[::3], zip(response[1::3], response[2::3]))


def embedding(response: Any, raw: bool = False, **options: Any) -> Any:
    """Return the numbers of a vector as floats, or what the server keeps of it as a dict; None stays None."""
    if response is None:
        return None
    if not raw:
        return [float(number) for number in response]
    quantization, data, norm, *bounds = response
    facts = {"quantization": native_str(quantization), "raw": bytes(data), "l2": float(norm)}
    return {**facts, "range": float(bounds[0])} if bounds else facts


def links(response: Any, with_scores: bool = False, **options: Any) -> Any:
    """Return the neighbours in each level as a list, or as a dict of their scores; None stays None."""
    if response is None or not with_scores:
        return response
    return [{name: float(score) for name, score in pairs_of(level)} for level in response]


def vector_report(response: Any) -> dict[str, Any] | None:
    """Return the facts as a dict of native str; None stays None."""
    return None if response is None else {native_str(name): native_str(value) for name, value in pairs_of(response)}


def vector_words(argument: str, vector: Any) -> list[Any]:
    """Return the words of a vector."""
    if isinstance(vector, (bytes, bytearray, memoryview)):
        return [b"FP32", vector]
    if isinstance(vector, str) or not isinstance(vector, Sequence) or not vector:
        raise DataError(f"{argument} is a sequence of numbers, or bytes of 32-bit floats")
    return [b"VALUES", len(vector), *vector]


def attributes_text(attributes: Any) -> str:
    """Return attributes as the JSON that is stored: a text as it is, anything else by ``json``; None is empty."""
    if attributes is None:
        return ""
    return attributes if isinstance(attributes, str) else json.dumps(attributes)


class VectorCommands(Group[T]):
    """The commands on vector sets."""

    __slots__ = ()

    @command("VADD", keys=1, write=True, reply=bool, since="8.0.0")
    def vadd(
        self,
        key: KeyT,
        vector: VectorT,
        element: EncodableT,
        reduce_dim: int | None = None,
        cas: bool = False,
        quantization: Any = None,
        ef: int | None = None,
        attributes: Any = None,
        numlinks: int | None = None,
    ) -> bool:
        """Add an element with its vector, or give it another vector; return whether it is new.

        ``quantization`` is ``"Q8"``, the default, ``"BIN"`` or ``"NOQUANT"``; it and ``reduce_dim``, to how many
        dimensions vectors are reduced, are the same for all elements of a set.  ``attributes`` are a mapping or JSON.
        ``ef`` is how hard neighbours are looked for and ``numlinks`` how many there may be; with ``cas`` that is done
        in a thread.  DataError for a vector that is none, ResponseError for one of other dimensions.

        Since 8.0.0, https://redis.io/commands/vadd/
        """
        words = [*option_words((b"REDUCE", reduce_dim)), *vector_words("vector", vector), element]
        words += flag_words((b"CAS", cas))
        if quantization is not None:
            words.append(choice("quantization", quantization, "NOQUANT", "BIN", "Q8"))
        attributes = None if attributes is None else attributes_text(attributes)
        words += option_words((b"EF", ef), (b"SETATTR", attributes), (b"M", numlinks))
        return self.execute_command("VADD", key, *words)

    @command("VCARD", keys=1, readonly=True, since="8.0.0")
    def vcard(self, key: KeyT) -> int:
        """Return the number of elements; 0 where there is no such key.

        Since 8.0.0, https://redis.io/commands/vcard/
        """
        return self.execute_command("VCARD", key)

    @command("VDIM", keys=1, readonly=True, since="8.0.0")
    def vdim(self, key: KeyT) -> int:
        """Return the number of dimensions of the vectors; ResponseError where there is no such key.

        Since 8.0.0, https://redis.io/commands/vdim/
        """
        return self.execute_command("VDIM", key)

    @overload
    def vemb(self, key: KeyT, element: EncodableT, raw: Literal[False] = ...) -> list[float] | None: ...

    @overload
    def vemb(self, key: KeyT, element: EncodableT, raw: Literal[True]) -> dict[str, Any] | None: ...

    @command("VEMB", keys=1, readonly=True, reply=embedding, decode=False, since="8.0.0")
    def vemb(self, key: KeyT, element: EncodableT, raw: bool = False) -> Any:
        """Return the vector of an element, as it is after quantization, as a list of floats; None for no such element.

        With ``raw`` a dict of what the server keeps: ``"quantization"`` (``"int8"``, ``"bin"`` or ``"f32"``),
        ``"raw"``, always bytes, ``"l2"``, the length of the vector before it was made 1, and with int8 ``"range"``.

        Since 8.0.0, https://redis.io/commands/vemb/
        """
        return self.execute_command("VEMB", key, element, *flag_words((b"RAW", raw)), raw=raw)

    @command("VGETATTR", keys=1, readonly=True, reply=parsed_attributes, since="8.0.0")
    def vgetattr(self, key: KeyT, element: EncodableT) -> Any:
        """Return the attributes of an element, a text that is no JSON as a str; None where it has none.

        Since 8.0.0, https://redis.io/commands/vgetattr/
        """
        return self.execute_command("VGETATTR", key, element)

    @command("VINFO", keys=1, readonly=True, reply=vector_report, since="8.0.0")
    def vinfo(self, key: KeyT) -> dict[str, Any] | None:
        """Return a dict of what there is to know of the set, such as ``"size"`` and ``"quant-type"``; None for no key.

        Keys and texts are native str.  Since 8.0.0, https://redis.io/commands/vinfo/
        """
        return self.execute_command("VINFO", key)

    @command("VISMEMBER", keys=1, readonly=True, reply=bool, since="8.0.0")
    def vismember(self, key: KeyT, element: EncodableT) -> bool:
        """Return whether the set has the element.

        Since 8.0.0, https://redis.io/commands/vismember/
        """
        return self.execute_command("VISMEMBER", key, element)

    @command("VLINKS", keys=1, readonly=True, reply=links, since="8.0.0")
    def vlinks(self, key: KeyT, element: EncodableT, with_scores: bool = False) -> list[Any] | None:
        """Return the neighbours of an element, a list of names for each level of the graph; None for no such element.

        With ``with_scores`` a dict of names and scores for each level, 1 is the same direction.

        Since 8.0.0, https://redis.io/commands/vlinks/
        """
        words = flag_words((b"WITHSCORES", with_scores))
        return self.execute_command("VLINKS", key, element, *words, with_scores=with_scores)

    @overload
    def vrandmember(self, key: KeyT, count: None = ...) -> T | None: ...

    @overload
    def vrandmember(self, key: KeyT, count: int) -> list[T]: ...

    @command("VRANDMEMBER", keys=1, readonly=True, since="8.0.0")
    def vrandmember(self, key: KeyT, count: int | None = None) -> Any:
        """Return some element; None where there is no such key.

        With ``count`` a list of as many different elements, at most; with a negative one exactly that many, perhaps the
        same ones again.  Since 8.0.0, https://redis.io/commands/vrandmember/
        """
        return self.execute_command("VRANDMEMBER", key, *([] if count is None else [count]))

    @command("VRANGE", keys=1, readonly=True, since="8.4.0")
    def vrange(self, key: KeyT, start: str | bytes, end: str | bytes, count: int | None = None) -> list[T]:
        """Return the elements between two names, in their order, ``count`` of them at most.

        A bound is ``"[name"``, ``"(name"`` for one that is left out itself, ``"-"`` or ``"+"``.

        Since 8.4.0, https://redis.io/commands/vrange/
        """
        return self.execute_command("VRANGE", key, start, end, *([] if count is None else [count]))

    @command("VREM", keys=1, write=True, reply=bool, since="8.0.0")
    def vrem(self, key: KeyT, element: EncodableT) -> bool:
        """Remove an element; return whether there was one.

        Since 8.0.0, https://redis.io/commands/vrem/
        """
        return self.execute_command("VREM", key, element)

    @command("VSETATTR", keys=1, write=True, reply=bool, since="8.0.0")
    def vsetattr(self, key: KeyT, element: EncodableT, attributes: Any = None) -> bool:
        """Set the attributes of an element, a mapping or JSON; None takes them away.  Return whether there is one.

        Since 8.0.0, https://redis.io/commands/vsetattr/
        """
        return self.execute_command("VSETATTR", key, element, attributes_text(attributes))

    @command("VSIM", keys=1, readonly=True, reply=similar_elements, since="8.0.0")
    def vsim(
        self,
        key: KeyT,
        input: str | VectorT,
        with_scores: bool = False,
        with_attribs: bool = False,
        count: int | None = None,
        ef: int | None = None,
        filter: str | None = None,
        filter_ef: int | None = None,
        truth: bool = False,
        no_thread: bool = False,
        epsilon: float | None = None,
    ) -> Any:
        """Return the elements that are most similar to ``input``, a vector or, as a str, the name of an element.

        A list of names, the most similar first, 10 of them or ``count``.  With ``with_scores`` a dict of their scores,
        from 0 to 1, which is the same direction; with ``with_attribs`` a dict of their attributes; with both a dict of
        dicts with ``"score"`` and ``"attributes"``.  Only elements whose attributes match the expression ``filter``,
        and whose distance is at most ``epsilon``.  ``ef`` and ``filter_ef`` say how hard to look, ``truth`` looks at
        every element, ``no_thread`` stays in the main thread.

        Bytes are a vector and no name.  ResponseError where there is no such element.

        Since 8.0.0, with_attribs 8.2.0, https://redis.io/commands/vsim/
        """
        words = [b"ELE", input] if isinstance(input, str) else vector_words("input", input)
        words += flag_words((b"WITHSCORES", with_scores), (b"WITHATTRIBS", with_attribs))
        words += option_words((b"COUNT", count), (b"EPSILON", epsilon), (b"EF", ef))
        words += option_words((b"FILTER", filter), (b"FILTER-EF", filter_ef))
        words += flag_words((b"TRUTH", truth), (b"NOTHREAD", no_thread))
        options = {"with_scores": with_scores, "with_attribs": with_attribs}
        return self.execute_command("VSIM", key, *words, **options)
