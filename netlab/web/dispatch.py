"""From a response as a value to the bytes and parts of files that are sent for it."""

from netlab.web.folder import OpenFile
from netlab.web.kept import Entry
from netlab.web.outbox import Outbox
from netlab.web.ranges import Slice
from netlab.web.reply import Reply
from netlab.web.site import Response


def put(outbox: Outbox, head: bytes, response: Response) -> None:
    """Put a response into the outbox, behind those that are there; an open file becomes the outbox's to close."""
    reply, file = response
    outbox.add(head)
    if isinstance(file, OpenFile):
        _put_file(outbox, reply, file)
        return
    content = _content(file, reply.packed)
    for part in reply.body:
        if not isinstance(part, Slice):
            outbox.add(part)
        elif part.size == len(content):
            outbox.add(content)
        else:
            outbox.add(memoryview(content)[part.start : part.stop])


def _put_file(outbox: Outbox, reply: Reply, file: OpenFile) -> None:
    """Parts of an open file, and what stands between them."""
    last = next((part for part in reversed(reply.body) if isinstance(part, Slice)), None)
    for part in reply.body:
        if isinstance(part, Slice):
            outbox.add_file(file, part, is_last=part is last)
        else:
            outbox.add(part)
    if last is None:
        file.close()


def _content(file: Entry | None, packed: bool) -> bytes:
    """What the slices of a reply are of."""
    if file is None:
        return b""
    return file.packed or b"" if packed else file.content
