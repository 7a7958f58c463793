"""``twistd -n netlab-web`` over real sockets: every row of bad input, good requests, the lab's bytes, stopping."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.web.sample import SAMPLE
from tests.daemons import PATIENCE, Daemon, run_to_its_end
from tests.parts import require_program, temporary_folder
from tests.web.raw import Answer, Client, exchange, parse

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

#: Words, bytes, the status of the answer; the connection is closed after it.
BAD = [
    ("no request at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("no version", b"GET /\r\n\r\n", 400),
    ("a space in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("another protocol", b"GET / RTSP/1.0\r\nHost: a\r\n\r\n", 400),
    ("version 2", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("a bare LF after the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("a bare LF after a field", b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
    ("a bare LF at the end", b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    ("a bare CR", b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400),
    ("a folded field", b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400),
    ("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("NUL in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400),
    ("no field name", b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
    ("two lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    ("a list of lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", 400),
    ("a signed length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", 400),
    (
        "a length and chunks",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    ("a coding like chunked", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
    ("chunks not last", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    ("a Host that is none", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("a head over 16 kB", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 17_000 + b"\r\n\r\n", 431),
    ("the same, and no end", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 17_000, 431),
    ("101 fields", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431),
    ("a target over 8 kB", b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("the same, and no end", b"GET /" + b"x" * 40_000, 414),
    ("a method that nobody knows", b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("small letters", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("content", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + GET, 405),
    ("content to come", b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc", 405),
    ("chunks", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 405),
    ("a tunnel", b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n", 405),
    ("a bad escape", b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a fragment", b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
]

#: Targets that lead nowhere, whatever the root and what is beside it.
OUTSIDE = [
    *("/../secret.txt", "/a/../../secret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/..%2fsecret.txt"),
    *("/%252e%252e/secret.txt", "/%252e%252e%252fsecret.txt", "/..%c0%afsecret.txt", "//etc/passwd", "/%2fetc/passwd"),
    *("/%2fetc%2fpasswd", "/a%00.html", "/%00", "/..%5csecret.txt", "/a/%2e./secret.txt", "/./index.html", "/.hidden"),
    *("/.git/config", "/%2ehidden", "/link.txt", "/linked/secret.txt", "/etc/passwd", "/index.html/", "/hidden-link"),
    *("http://a/../secret.txt", "/inside/../../secret.txt", "/pipe", "/..", "/%2e%2e", "/secret.txt"),
]


def site(test: SynchronousTestCase) -> Path:
    """A root with something beside it that nobody may have, and links there."""
    folder = temporary_folder(test)
    (folder / "secret.txt").write_text("secret")
    root = folder / "root"
    (root / "a").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git/config").write_text("secret")
    (root / ".hidden").write_text("secret")
    (root / "index.html").write_text("<p>hello</p>")
    (root / "a/index.html").write_text("<p>a</p>")
    (root / "page.html").write_text("<p>page</p>" * 1_000)
    (root / "numbers.bin").write_bytes(bytes(range(256)) * 4)
    (root / "image.png").write_bytes(os.urandom(70_000))
    (root / "big.bin").write_bytes(os.urandom(3_000_000))
    (root / "empty.txt").touch()
    (root / "sp ä%.txt").write_text("odd")
    (root / "link.txt").symlink_to(folder / "secret.txt")
    (root / "linked").symlink_to(folder)
    (root / "hidden-link").symlink_to(root / ".hidden")
    (root / "inside").symlink_to(root / "a")
    os.mkfifo(root / "pipe")
    return root


def split(data: bytes) -> list[Answer]:
    """All responses in ``data``."""
    answers = []
    while data:
        answer, data = parse(data)
        answers.append(answer)
    return answers


class WebTests(SynchronousTestCase):
    """Daemons on a root with a bit of everything."""

    def setUp(self) -> None:
        self.root = site(self)

    def daemon(self, *arguments: str, listen: str = "tcp:0:interface=127.0.0.1") -> Daemon:
        words = ("--listen", listen, "--root", str(self.root), *arguments)
        return Daemon(temporary_folder(self), "netlab-web", *words)


class BadInputTests(WebTests):
    """The table of bad input, row by row."""

    def test_refused(self) -> None:
        """Every bad request has its status, after which the connection is closed, and the daemon lives."""
        with self.daemon() as daemon:
            for words, data, status in BAD:
                answers = split(exchange(daemon.port, data))
                self.assertEqual([answer.status for answer in answers], [status], words)
                self.assertEqual(answers[0].fields["connection"], "close", words)
                self.assertTrue(answers[0].body, words)
                self.assertEqual(answers[0].fields.get("allow"), "GET, HEAD" if status == 405 else None, words)
            # A good request before a bad one is answered all the same.
            answers = split(exchange(daemon.port, GET + b"junk\r\n\r\n" + GET))
            self.assertEqual([answer.status for answer in answers], [200, 400])
            daemon.wait_for(r"Connection closed after 1 request: 400, ")

    def test_old_clients(self) -> None:
        """HTTP/1.0 is served and closed, with and without Host, and whatever it says of keeping alive."""
        with self.daemon() as daemon:
            for more in (b"", b"Host: a\r\n", b"Connection: keep-alive\r\n"):
                (answer,) = split(exchange(daemon.port, b"GET / HTTP/1.0\r\n" + more + b"\r\n" + GET))
                self.assertEqual((answer.status, answer.body), (200, b"<p>hello</p>"))
                self.assertEqual(answer.fields["connection"], "close")

    def test_other_methods(self) -> None:
        """Methods that are not for files leave the connection open when they bring no content."""
        with self.daemon() as daemon, Client(daemon.port) as client:
            for method in ("OPTIONS", "DELETE", "PATCH", "TRACE"):
                answer = client.get("/", method=method)
                self.assertEqual((answer.status, answer.fields["allow"]), (405, "GET, HEAD"), method)
            self.assertEqual(client.get("/", method="PROPFIND").status, 501)
            self.assertEqual(client.get("*", method="OPTIONS").status, 405)
            self.assertEqual(client.get().status, 200)

    def test_nothing_outside(self) -> None:
        """What is not under the root, or hidden, is never served, by whatever name."""
        with self.daemon() as daemon:
            for target in OUTSIDE:
                with Client(daemon.port) as client:
                    answer = client.get(target)
                    self.assertIn(answer.status, (400, 404), target)
                    self.assertNotIn(b"secret", answer.body, target)
            with Client(daemon.port) as client:
                self.assertEqual(client.get("/inside/").body, b"<p>a</p>")
                self.assertEqual(client.get("/sp%20%C3%A4%25.txt").body, b"odd")
                self.assertEqual(client.get("http://elsewhere/page.html").status, 200)

    def test_following_links(self) -> None:
        """--follow-symlinks lets links lead out, and nothing else."""
        with self.daemon("--follow-symlinks") as daemon, Client(daemon.port) as client:
            self.assertEqual(client.get("/link.txt").body, b"secret")
            self.assertEqual(client.get("/linked/secret.txt").body, b"secret")
            self.assertEqual(client.get("/.hidden").status, 404)
            self.assertEqual(client.get("/%2e%2e/secret.txt").status, 404)

    def test_a_byte_now_and_then(self) -> None:
        """A request that never gets finished is closed after its time, silent or not; so is one that says nothing."""
        with self.daemon("--idle-timeout", "0.6", "--request-timeout", "1") as daemon:
            with Client(daemon.port) as slow, Client(daemon.port) as silent, Client(daemon.port) as half:
                half.send(GET[:10])
                slow.socket.settimeout(0.2)
                for place in range(100):
                    slow.send(GET[place : place + 1])
                    try:
                        if not slow.socket.recv(1):
                            break
                    except TimeoutError:
                        continue
                else:
                    self.fail("it was never closed")
                self.assertEqual((silent.rest(), half.rest()), (b"", b""))
            daemon.wait_for("a request was not finished in 1 s")
            daemon.wait_for("Connection closed after 0 requests: timeout!")

    def test_empty_lines_keep_nobody(self) -> None:
        """Line ends before a request mean nothing, so they keep no connection."""
        with self.daemon("--idle-timeout", "0.5") as daemon, Client(daemon.port) as client:
            client.socket.settimeout(0.1)
            for _ in range(100):
                client.send(b"\r\n")
                try:
                    if not client.socket.recv(1):
                        break
                except TimeoutError:
                    continue
            else:
                self.fail("it was never closed")

    def test_never_reads(self) -> None:
        """Clients that ask for much and read nothing are closed after their time, and cost little memory."""
        asked = b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n" * 50 + b"GET /image.png HTTP/1.1\r\nHost: a\r\n\r\n" * 50
        with self.daemon("--send-timeout", "0.5", "--idle-timeout", "0.3") as daemon:
            before = daemon.memory()
            clients = []
            for _ in range(30):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                client.connect(("127.0.0.1", daemon.port))
                client.sendall(asked)
                clients.append(client)
                self.addCleanup(client.close)
            daemon.wait_for("nothing read for 0.5 s")
            self.assertLess(daemon.memory() - before, 8_000_000)
            with Client(daemon.port) as client:
                self.assertEqual(client.get().status, 200)

    def test_a_file_that_shrinks(self) -> None:
        """A file that is cut short or written anew while it is sent ends the connection short."""
        content = os.urandom(20_000_000)
        for change in (lambda file: os.truncate(file, 1_000), lambda file: file.write_bytes(bytes(len(content)))):
            big = self.root / "big.bin"
            big.write_bytes(content)
            with self.daemon() as daemon, Client(daemon.port) as client:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
                client.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                while b"\r\n\r\n" not in client.received:
                    client._more()
                change(big)
                with self.assertRaises(ConnectionResetError):
                    client.rest()
                head, _, body = client.received.partition(b"\r\n\r\n")
                self.assertIn(b"Content-Length: 20000000", head)
                self.assertLess(len(body), len(content))
                daemon.wait_for("the file (changed|ended) while it was sent")

    def test_a_file_that_vanishes(self) -> None:
        """A file that is removed while it is sent is sent to its end, and gone for the next who asks."""
        content = (self.root / "big.bin").read_bytes()
        with self.daemon() as daemon, Client(daemon.port) as client:
            client.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            while not client.received:
                client._more()
            (self.root / "big.bin").unlink()
            self.assertEqual(client.answer().body, content)
            self.assertEqual(client.get("/big.bin").status, 404)


class ServingTests(WebTests):
    """What good requests get."""

    def test_keeping_alive_and_pipelining(self) -> None:
        """One connection carries many requests; those sent together are answered in their order, however they come."""
        targets = [b"/", b"/missing", b"/image.png", b"/numbers.bin", b"/big.bin", b"/empty.txt", b"/page.html"] * 3
        requests = b"".join(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target for target in targets)
        with self.daemon("--idle-timeout", "10") as daemon, Client(daemon.port) as client:
            client.send(requests)
            for target in targets:
                answer = client.answer()
                file = self.root / (target.decode()[1:] or "index.html")
                self.assertEqual(answer.status, 200 if file.exists() else 404)
                if file.exists():
                    self.assertEqual(answer.body, file.read_bytes(), target)
            for byte in GET:
                client.send(bytes((byte,)))
            self.assertEqual(client.answer().body, b"<p>hello</p>")

    def test_half_closed(self) -> None:
        """A client that asks, shuts down its sending side and reads slowly gets everything."""
        big = (self.root / "big.bin").read_bytes()
        asked = b"GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: %b\r\n\r\n"
        with self.daemon() as daemon:
            for wish in (b"close", b"keep-alive"):
                with Client(daemon.port) as client:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
                    client.send(GET + asked % wish)
                    client.socket.shutdown(socket.SHUT_WR)
                    self.assertEqual([answer.body for answer in split(client.rest())], [b"<p>hello</p>", big])

    def test_what_an_origin_server_says(self) -> None:
        """An answer has what RFC 9110 asks for, and one to HEAD has the same and no body."""
        with self.daemon() as daemon, Client(daemon.port) as client:
            answer = client.get("/page.html")
            self.assertEqual(answer.fields["content-type"], "text/html; charset=utf-8")
            self.assertEqual(answer.fields["accept-ranges"], "bytes")
            self.assertRegex(answer.fields["date"], r"^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$")
            self.assertRegex(answer.fields["etag"], r'^"[0-9a-f-]+"$')
            self.assertRegex(answer.fields["server"], r"^netlab/")
            headed = client.get("/page.html", method="HEAD")
            self.assertEqual({**headed.fields, "date": ""}, {**answer.fields, "date": ""})
            self.assertEqual(client.get("/big.bin", method="HEAD").fields["content-length"], "3000000")
            self.assertEqual(client.get("/image.png").fields["content-type"], "image/png")
            missing = client.get("/missing", method="HEAD")
            self.assertEqual(missing.status, 404)
            self.assertEqual(client.get("/a").fields["location"], "/a/")
            self.assertEqual(client.get("/a?b=c").fields["location"], "/a/?b=c")

    def test_ranges(self) -> None:
        """One range, a suffix, several, none that is there; over files in memory and on the disk."""
        with self.daemon() as daemon, Client(daemon.port) as client:
            for name in ("numbers.bin", "image.png", "big.bin"):
                content = (self.root / name).read_bytes()
                part = client.get(f"/{name}", "Range: bytes=10-19")
                self.assertEqual((part.status, part.body), (206, content[10:20]))
                self.assertEqual(part.fields["content-range"], f"bytes 10-19/{len(content)}")
                self.assertEqual(client.get(f"/{name}", "Range: bytes=-7").body, content[-7:])
                self.assertEqual(client.get(f"/{name}", "Range: bytes=1000-").body, content[1000:])
                several = client.get(f"/{name}", "Range: bytes=0-1,100-109,-5")
                self.assertEqual(several.status, 206)
                kind, _, boundary = several.fields["content-type"].partition("; boundary=")
                self.assertEqual(kind, "multipart/byteranges")
                bodies = [part.partition(b"\r\n\r\n")[2] for part in several.body.split(b"\r\n--" + boundary.encode())]
                self.assertEqual(bodies[1:-1], [content[:2], content[100:110], content[-5:]])
                beyond = client.get(f"/{name}", f"Range: bytes={len(content)}-")
                self.assertEqual((beyond.status, beyond.fields["content-range"]), (416, f"bytes */{len(content)}"))
                self.assertEqual(client.get(f"/{name}", "Range: lines=1-2").body, content)

    def test_conditions(self) -> None:
        """A client's copy is good, or not, by tag and by date; a part is only sent of what the client has."""
        with self.daemon() as daemon, Client(daemon.port) as client:
            first = client.get("/numbers.bin")
            tag, date = first.fields["etag"], first.fields["last-modified"]
            unchanged = client.get("/numbers.bin", f"If-None-Match: {tag}")
            self.assertEqual((unchanged.status, unchanged.fields["etag"]), (304, tag))
            self.assertNotIn("content-length", unchanged.fields)
            self.assertEqual(client.get("/numbers.bin", f"If-Modified-Since: {date}").status, 304)
            self.assertEqual(client.get("/numbers.bin", 'If-Match: "x"').status, 412)
            ranged = client.get("/numbers.bin", f"If-Range: {tag}", "Range: bytes=0-0")
            self.assertEqual((ranged.status, ranged.body), (206, b"\0"))
            self.assertEqual(client.get("/numbers.bin", 'If-Range: "x"', "Range: bytes=0-0").body, first.body)
            (self.root / "numbers.bin").write_bytes(b"new")
            changed = client.get("/numbers.bin", f"If-None-Match: {tag}")
            self.assertEqual((changed.status, changed.body), (200, b"new"))

    def test_packed(self) -> None:
        """Who asks for gzip gets it where it is worth it, under its own tag."""
        with self.daemon() as daemon, Client(daemon.port) as client:
            plain, packed = client.get("/page.html"), client.get("/page.html", "Accept-Encoding: br, gzip")
            self.assertEqual(packed.fields["content-encoding"], "gzip")
            self.assertEqual((plain.fields["vary"], packed.fields["vary"]), ("Accept-Encoding",) * 2)
            self.assertNotEqual(plain.fields["etag"], packed.fields["etag"])
            self.assertLess(len(packed.body), len(plain.body) / 10)
            again = client.get("/page.html", "Accept-Encoding: gzip", f"If-None-Match: {packed.fields['etag']}")
            self.assertEqual(again.status, 304)
            self.assertNotIn("content-encoding", client.get("/image.png", "Accept-Encoding: gzip").fields)
        with self.daemon("--no-gzip") as daemon, Client(daemon.port) as client:
            self.assertNotIn("content-encoding", client.get("/page.html", "Accept-Encoding: gzip").fields)

    def test_listing(self) -> None:
        """The names in a folder are shown only where that is asked for, and only those that are served."""
        (self.root / "more").mkdir()
        (self.root / "more/<b>.txt").touch()
        (self.root / "more/.hidden").touch()
        (self.root / "more/out").symlink_to(self.root.parent)
        with self.daemon() as daemon, Client(daemon.port) as client:
            self.assertEqual(client.get("/more/").status, 404)
        with self.daemon("--listing") as daemon, Client(daemon.port) as client:
            page = client.get("/more/").body
            self.assertIn(b'<a href="./%3Cb%3E.txt">&lt;b&gt;.txt</a>', page)
            self.assertNotIn(b"hidden", page)
            self.assertNotIn(b"out", page)
            self.assertEqual(client.get("/a/").body, b"<p>a</p>")
            self.assertEqual(client.get("/linked/").status, 404)

    def test_redirects(self) -> None:
        """Targets are sent on by the status that the rule says."""
        rules = ("--redirect", "/old=/page.html", "--redirect", "307:/b c=/x")
        good = ("--redirect", "/old=/page.html", "--redirect", "307:/b/=https://a/x?y")
        with self.daemon(*good) as daemon, Client(daemon.port) as client:
            moved = client.get("/old?x=y")
            self.assertEqual((moved.status, moved.fields["location"]), (301, "/page.html"))
            moved = client.get("/%62/")
            self.assertEqual((moved.status, moved.fields["location"]), (307, "https://a/x?y"))
            self.assertEqual(client.get("/b").status, 404)
        refused = run_to_its_end(self.root, "netlab-web", *rules)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--redirect 307:/b c=/x: something like", refused.stderr)


class LabTests(SynchronousTestCase):
    """``--lab``: the old bytes."""

    def daemon(self, *arguments: str) -> Daemon:
        words = ("--lab", "--listen", "tcp:0:interface=127.0.0.1", *arguments)
        return Daemon(temporary_folder(self), "netlab-web", *words)

    def test_exact_bytes(self) -> None:
        """Files, what is missing, and the redirect, to the byte; `Connection` as the client says it."""
        page = (SAMPLE / "index.html").read_bytes()
        image = (SAMPLE / "images/noise.png").read_bytes()
        head = "HTTP/1.1 200 OK\r\nConnection: {}\r\nContent-Length: {}\r\n\r\n"
        missing = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
        moved = b"HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\nLocation: /result.html\r\n\r\n"
        self.assertEqual((len(missing), len(moved)), (45, 77))
        with self.daemon("--idle-timeout", "0.4") as daemon:
            asked = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: %b\r\nRange: bytes=0-1\r\n\r\n"
            expected = head.format("close", len(page)).encode() + page
            self.assertEqual(exchange(daemon.port, asked % (b"/", b"close")), expected)
            self.assertEqual(exchange(daemon.port, asked % (b"/missing", b"keep-alive")), missing)
            self.assertEqual(exchange(daemon.port, asked % (b"/../x", b"keep-alive")), missing)
            self.assertEqual(exchange(daemon.port, asked % (b"/images/", b"keep-alive")), missing)
            self.assertEqual(exchange(daemon.port, asked % (b"/redirect", b"keep-alive")), moved)
            kept = asked % (b"/images/noise.png", b"keep-alive") + b"GET / HTTP/1.1\r\n\r\n"
            expected = head.format("keep-alive", len(image)).encode() + image
            expected += head.format("keep-alive", len(page)).encode() + page
            self.assertEqual(exchange(daemon.port, kept), expected)
            daemon.wait_for("Connection closed after 2 requests: timeout!")
            self.assertEqual(exchange(daemon.port, b"junk\r\n\r\n")[:24], b"HTTP/1.1 400 Bad Request")

    def test_old_client(self) -> None:
        """A client that asks once, reads, and closes: the log tells why each connection ended."""
        with self.daemon() as daemon:
            with Client(daemon.port) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
                self.assertEqual(client.answer().status, 200)
            daemon.wait_for("Connection closed after 1 request: data is empty")
            exchange(daemon.port, LAST)
            daemon.wait_for("Connection closed after 1 request: Connection: close")


class DaemonTests(WebTests):
    """Listening, logging, stopping."""

    def test_sample_site(self) -> None:
        """Without a root the sample site is served, with its redirect."""
        words = ("netlab-web", "--listen", "tcp:0:interface=127.0.0.1")
        with Daemon(temporary_folder(self), *words) as daemon, Client(daemon.port) as client:
            self.assertEqual(client.get("/").body, (SAMPLE / "index.html").read_bytes())
            self.assertEqual(client.get("/redirect").fields["location"], "/result.html")
            self.assertEqual(client.get("/gallery.html").body.count(b"<img "), 12)

    def test_other_transports(self) -> None:
        """UNIX sockets and TLS carry the same bytes, of small files and of big ones."""
        content = (self.root / "big.bin").read_bytes()
        asked = b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n" + LAST
        folder = temporary_folder(self)
        with self.daemon(listen=f"unix:{folder}/web.sock"), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(f"{folder}/web.sock")
            client.sendall(asked)
            self.assertEqual([answer.body for answer in split(read_all(client))], [content, b"<p>hello</p>"])
        certificate(folder)
        listen = f"ssl:0:interface=127.0.0.1:privateKey={folder}/key.pem:certKey={folder}/cert.pem"
        context = ssl.create_default_context(cafile=f"{folder}/cert.pem")
        # `Daemon` learns the port from the log where the endpoint is a TCP one.
        with self.daemon(listen=listen + ":backlog=50") as daemon:
            port = int(daemon.wait_for(r"listens on 127\.0\.0\.1:(\d+)")[1])
            plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
            with context.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(asked)
                self.assertEqual([answer.body for answer in split(read_all(client))], [content, b"<p>hello</p>"])

    def test_access_log(self) -> None:
        """Both formats tell of connections and requests."""
        folder = temporary_folder(self)
        for form in ("combined", "json"):
            with self.daemon("--access-log", str(folder / form), "--access-format", form) as daemon:
                lines = b'GET /page.html HTTP/1.1\r\nHost: a\r\nUser-Agent: "me"\r\nConnection: close\r\n\r\n'
                exchange(daemon.port, lines)
        opened, asked, closed = (folder / "combined").read_text().splitlines()
        self.assertRegex(opened, r"^# \[.*\] 127\.0\.0\.1:\d+ opened$")
        self.assertRegex(
            asked, r'^127\.0\.0\.1 - - \[.* \+0000\] "GET /page.html HTTP/1.1" 200 11000 "-" "\\x22me\\x22"$'
        )
        self.assertRegex(closed, r"closed after 1 request: Connection: close$")
        events = [json.loads(line) for line in (folder / "json").read_text().splitlines()]
        self.assertEqual([event["event"] for event in events], ["opened", "request", "closed"])
        self.assertEqual((events[1]["status"], events[1]["bytes"]), (200, 11_000))
        self.assertEqual((events[2]["requests"], events[2]["why"]), (1, "Connection: close"))

    def test_access_log_at_the_end(self) -> None:
        """The access log is open until the last connection has ended, and has the line that says so."""
        path = temporary_folder(self) / "access"
        with self.daemon("--access-log", str(path)) as daemon, Client(daemon.port) as client:
            client.send(b"GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n")
            client.answer()
            daemon.process.terminate()
            self.assertEqual(daemon.wait(), 0)
        self.assertRegex(path.read_text().splitlines()[-1], r"closed after 1 request: ")
        self.assertNotIn("Traceback", daemon.log)

    def test_stopping(self) -> None:
        """SIGTERM lets an answer that has begun be read to its end; the address is free at once."""
        with self.daemon() as daemon, Client(daemon.port) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            client.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            while not client.received:
                client._more()
            daemon.process.terminate()
            self.assertEqual(len(client.answer().body), 3_000_000)
            self.assertEqual(daemon.wait(), 0)
            with self.daemon(listen=f"tcp:{daemon.port}:interface=127.0.0.1"):
                pass

    def test_cannot_start(self) -> None:
        """A bad option is one line that says what to do."""
        for words, said in (
            (("--root", "/missing"), "--root /missing is no folder"),
            (("--access-format", "x"), "one of combined, json belongs here"),
            (("--access-format", "json"), "--access-format json: give --access-log FILE, too"),
            (("--idle-timeout", "0"), "--idle-timeout 0: a time in seconds"),
            (("--redirect", "/%zz=/a"), "--redirect: the target is malformed"),
            (("--access-log", "/missing/log"), "netlab-web: cannot write the access log /missing/log"),
        ):
            run = run_to_its_end(self.root, "netlab-web", "--listen", "tcp:0:interface=127.0.0.1", *words)
            self.assertEqual(run.returncode, 1, words)
            self.assertIn(said, run.stderr)


def read_all(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(1 << 16):
        received += data
    return received


def certificate(folder: Path) -> None:
    """``key.pem`` and ``cert.pem`` for localhost."""
    command = [require_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
