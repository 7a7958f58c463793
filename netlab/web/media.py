"""Media types by file name extension (RFC 9110 §8.3). A table of our own: the system's differs from one to the next."""

_TEXT = "; charset=utf-8"

#: Extension: media type. The IANA registry's names.
_TYPES = {
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "mjs": "text/javascript",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "ics": "text/calendar",
    "vtt": "text/vtt",
    "xml": "application/xml",
    "xhtml": "application/xhtml+xml",
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/json",
    "map": "application/json",
    "webmanifest": "application/manifest+json",
    "wasm": "application/wasm",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "gz": "application/gzip",
    "tar": "application/x-tar",
    "pcap": "application/vnd.tcpdump.pcap",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "ico": "image/vnd.microsoft.icon",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "ttf": "font/ttf",
    "otf": "font/otf",
}
_UNKNOWN = "application/octet-stream"
_PACKED_WELL = {"application/wasm", "application/xml", "image/svg+xml", "image/bmp", "font/ttf", "font/otf"}


def media_type(path: bytes) -> str:
    """The value of Content-Type for a file of this name; ``application/octet-stream`` for one that we don't know."""
    stem, dot, extension = path.rpartition(b"/")[2].rpartition(b".")
    kind = _TYPES.get(extension.decode("latin-1").lower(), _UNKNOWN) if dot and stem else _UNKNOWN
    return kind + _TEXT if kind.startswith("text/") else kind


def is_worth_packing(kind: str) -> bool:
    """Whether content of this type gets shorter by gzip, as a rule."""
    kind = kind.partition(";")[0]
    return kind.startswith("text/") or kind.endswith(("json", "+xml")) or kind in _PACKED_WELL
