"""The sample site that comes with netlab: an index, a result page, and a page with 12 images over two folders.

``scripts/sample_site.py`` draws the images.
"""

from pathlib import Path

#: The folder with its files.
SAMPLE = Path(__file__).with_name("sample_site")

#: The page with the images.
GALLERY = "/gallery.html"

#: The lab's redirect: status, from, to (protocols.md §3).
SAMPLE_REDIRECTS = [(301, "/redirect", "/result.html")]

#: Every target of the site, pages first.
TARGETS = (
    "/",
    "/redirect",
    "/result.html",
    GALLERY,
    *(f"/images/{name}.png" for name in ("congestion", "interference", "mandelbrot", "noise", "packets", "windows")),
    *(f"/drawings/{name}" for name in ("close.png", "handshake.png", "layers.png", "sliding.png")),
    *(f"/drawings/{name}" for name in ("alarm.gif", "ping.gif")),
)
