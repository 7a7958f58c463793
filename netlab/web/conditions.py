"""Conditional requests: whether what the client says of its copy still holds (RFC 9110 §13).

Conditions are looked at in the order of §13.2.2. Fields are read by werkzeug; dates and tags that it cannot read are
as good as not sent.
"""

from collections.abc import Mapping

from werkzeug.http import parse_date, parse_etags, unquote_etag

from netlab.web.facts import Facts

#: Every field that can make an answer differ from the plain one.
CONDITIONS = frozenset((b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"))


def failed_status(fields: Mapping[bytes, bytes], facts: Facts, tag: str) -> int | None:
    """412 or 304 when a condition says so, else `None`: the request is to be answered.

    :param tag: the entity tag of the representation that would be sent, without quotes.
    """
    if (wanted := _text(fields, b"if-match")) is not None:
        if not parse_etags(wanted).contains(tag):
            return 412
    elif (since := _date(fields, b"if-unmodified-since")) is not None and facts.modified > since:
        return 412
    if (known := _text(fields, b"if-none-match")) is not None:
        if parse_etags(known).contains_weak(tag):
            return 304
    elif (since := _date(fields, b"if-modified-since")) is not None and facts.modified <= since:
        return 304
    return None


def range_applies(fields: Mapping[bytes, bytes], facts: Facts, tag: str) -> bool:
    """Whether If-Range, if there is one, lets a range be sent: only a strong validator that is the very same does."""
    value = _text(fields, b"if-range")
    if value is None:
        return True
    if value.startswith(("W/", '"')):
        return unquote_etag(value) == (tag, False) and value.endswith('"')
    return facts.is_settled and _date(fields, b"if-range") == facts.modified


def _text(fields: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = fields.get(name)
    return None if value is None else value.decode("latin-1").strip()


def _date(fields: Mapping[bytes, bytes], name: bytes) -> float | None:
    """A field's date in unix seconds; `None` if there is none that can be read."""
    value = _text(fields, name)
    if value is None or len(value) > 100:
        return None
    try:
        date = parse_date(value)
        return None if date is None else date.timestamp()
    except (OverflowError, ValueError):  # the first and last years, in some time zones
        return None
