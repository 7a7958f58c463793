"""The pages that the server writes itself: errors, redirects, the names in a folder."""

from collections.abc import Iterable
from html import escape
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from werkzeug.http import http_date

from netlab.web.reply import Reply

_HTML = ("Content-Type", "text/html; charset=utf-8")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
{content}
</body>
</html>
"""


class Named(NamedTuple):
    """One entry of a folder; ``modified`` in unix seconds, ``size`` in bytes (of no meaning for a folder)."""

    name: bytes
    is_folder: bool
    size: int
    modified: float


def refusal(status: int, reason: str = "", *fields: tuple[str, str], closes: bool = False) -> Reply:
    """An error, with ``reason``, a clause without a full stop, if there is more to say than the status."""
    title = f"{status} {HTTPStatus(status).phrase}"
    content = f"<p>{escape(reason[:1].upper() + reason[1:])}.</p>" if reason else ""
    return page(status, title, content, *fields, closes=closes)


def redirect(status: int, location: str) -> Reply:
    """Say where else to ask."""
    title = f"{status} {HTTPStatus(status).phrase}"
    link = escape(location, quote=True)
    return page(status, title, f'<p><a href="{link}">{link}</a></p>', ("Location", location))


def listing(path: bytes, entries: Iterable[Named], more: bool) -> Reply:
    """The page of a folder.

    :param path: of the folder, relative to the root; empty for the root itself.
    :param more: whether there are more entries than these.
    """
    name = escape(path.decode("utf-8", "replace"))
    title = f"/{name}/" if path else "/"
    ordered = sorted(entries, key=lambda entry: (not entry.is_folder, entry.name))
    rows = [_row(entry) for entry in ordered]
    if path:
        rows.insert(0, '<tr><td><a href="../">../</a></td><td></td><td></td></tr>')
    table = "\n".join(["<table>", "<tr><th>name</th><th>bytes</th><th>changed</th></tr>", *rows, "</table>"])
    return page(200, title, table + ("\n<p>There are more, which are not shown.</p>" if more else ""))


def page(status: int, title: str, content: str, *fields: tuple[str, str], closes: bool = False) -> Reply:
    """A page of ours; ``title`` and ``content`` are HTML."""
    body = _PAGE.format(title=title, content=content).encode("utf-8", "replace")
    return Reply(status, (*fields, _HTML), (body,), len(body), closes=closes)


def _row(entry: Named) -> str:
    slash = "/" if entry.is_folder else ""
    # "./" keeps a name with a colon from being taken for a scheme (RFC 3986 §4.2).
    name = escape(entry.name.decode("utf-8", "replace")) + slash
    link = f'<a href="./{quote_from_bytes(entry.name)}{slash}">{name}</a>'
    size = "" if entry.is_folder else f"{entry.size:,}"
    changed = http_date(min(max(0.0, entry.modified), 253_402_300_799))
    return f'<tr><td>{link}</td><td align="right">{size}</td><td>{changed}</td></tr>'
