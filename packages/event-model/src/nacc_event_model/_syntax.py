"""Why some bytes are no JSON document: what they are instead, or where they go wrong."""

from __future__ import annotations

import codecs
import re
from typing import Final

NOT_JSON: Final = "not valid JSON"
NOT_AT_ALL: Final = "not JSON at all"
BYTE_ORDER_MARK: Final = "starts with a byte order mark"
EMPTY: Final = "empty"

COMPRESSIONS: Final = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
# A mark of UTF-32 begins with one of UTF-16.
_ENCODINGS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    b"{\x00\x00\x00": "UTF-32",
    b"\x00\x00\x00{": "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    b"{\x00": "UTF-16",
    b"\x00{": "UTF-16",
}
_WHITE_SPACE: Final = b" \t\r\n"
_BEGINNINGS: Final = b'{["-0123456789tfn'
# The parser's own words, which hold nothing of the document.
_place = re.compile(r" \(byte ([0-9]+)\)\Z")
_TRAILING: Final = "trailing characters"
_escape = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def syntax_rule(error: Exception, data: bytes) -> str:
    """Return the rule that a document breaks which the parser could not read.

    Places are counted in bytes from 0, and stand at the end of the rule.
    """
    start = data.lstrip(_WHITE_SPACE)
    if not start:
        return EMPTY
    if data.startswith(codecs.BOM_UTF8):
        return BYTE_ORDER_MARK
    for magic, name in COMPRESSIONS.items():
        if data.startswith(magic):
            return f"{NOT_JSON}: compressed with {name}"
    for beginning, name in _ENCODINGS.items():
        if data.startswith(beginning):
            return f"{NOT_JSON}: encoded in {name}, not in UTF-8"
    if start[0] not in _BEGINNINGS:
        return NOT_AT_ALL
    return NOT_JSON + _where(error, data)


def _where(error: Exception, data: bytes) -> str:
    if isinstance(error, UnicodeDecodeError):
        try:
            data.decode()
        except UnicodeDecodeError as whole:
            # The parser counts from the start of a text.
            return f": not UTF-8 at byte {whole.start}"
    message = str(error)
    place = _place.search(message)
    at = int(place[1]) if place else len(data)
    surrogate = _lone_surrogate(data, at)
    if surrogate is not None:
        return f": half a surrogate pair at byte {surrogate}"
    if place is None:
        return f": cut off at byte {at}"
    if _TRAILING not in message:
        return f" at byte {at}"
    # The parser has taken the first byte too many before it says so.
    more = "another document" if data[at - 1] in b"{[" else "something"
    return f": {more} after its end at byte {at - 1}"


def _lone_surrogate(data: bytes, end: int) -> int | None:
    """Return where, before the end, the first escaped half of a surrogate pair stands alone."""
    high = None
    for match in _escape.finditer(data, 0, end):
        unit = int(match[1] or b"0", 16)
        is_low = 0xDC00 <= unit < 0xE000
        if (high is not None and high.end() == match.start()) != is_low:
            return (high or match).start()
        high = match if 0xD800 <= unit < 0xDC00 else None
    # The other half of one at the very end may have been cut off.
    return high.start() if high and high.end() < len(data) else None
