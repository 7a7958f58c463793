"""From a response as a value to the bytes and parts of files that are sent for it."""

from netlab.web.folder import OpenFile
from netlab.web.outbox import Outbox
from netlab.web.ranges import Slice
from netlab.web.reply import Reply
from netlab.web.response import Response


def put(outbox: Outbox, head: bytes, response: Response) -> None:
    """Put a response into the outbox, behind those that are there; its file becomes the outbox's to close."""
    reply, entry = response
    outbox.add(head)
    if entry is not None and isinstance(entry.file, OpenFile):
        _put_file(outbox, reply, entry.file)
        return
    content = b""
    if entry is not None:
        content = (entry.packed if reply.packed else entry.content) or b""
    for part in reply.body:
        if not isinstance(part, Slice):
            outbox.add(part)
        elif part.size == len(content):
            outbox.add(content)
        else:
            outbox.add(memoryview(content)[part.start : part.stop])


def _put_file(outbox: Outbox, reply: Reply, file: OpenFile) -> None:
    """Parts of an open file, and what stands between them."""
    if len(reply.body) == 1 and isinstance(reply.body[0], Slice):
        outbox.add_file(file, reply.body[0], is_last=True)
        return
    last = next((part for part in reversed(reply.body) if isinstance(part, Slice)), None)
    for part in reply.body:
        if isinstance(part, Slice):
            outbox.add_file(file, part, is_last=part is last)
        else:
            outbox.add(part)
    if last is None:
        file.close()
