"""``twistd -n netlab-calc`` over real sockets: recorded requests, bad peers, signals, other endpoints."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
from contextlib import ExitStack
from pathlib import Path
from struct import unpack_from

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import json_body
from netlab.calc.header import CLIENT_ERROR, SUCCESS, Header, encode_packet
from tests.daemons import PATIENCE, Daemon, run_to_its_end
from tests.parts import require_program, temporary_folder

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "calc_vectors.json").read_text("utf-8"))


class Client:
    """A client of the plainest kind."""

    def __init__(self, port: int, sock: socket.socket | None = None) -> None:
        self.socket = sock or socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.settimeout(PATIENCE)
        self.received = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def packet(self) -> bytes:
        """The next packet."""
        while len(self.received) < 12 or len(self.received) < unpack_from("!H", self.received, 4)[0]:
            data = self.socket.recv(65_536)
            if not data:
                raise AssertionError(f"closed after {self.received!r}")
            self.received += data
        (length,) = unpack_from("!H", self.received, 4)
        packet, self.received = self.received[:length], self.received[length:]
        return packet

    def at_end(self) -> bool:
        """Whether the server has closed, and sent nothing more."""
        return not self.received and not self.socket.recv(1)


def request(text: str) -> bytes:
    return encode_packet(json_body.write_expression(text), timestamp=0, request=True, steps=True)


class DaemonTests(SynchronousTestCase):
    """The daemon as its users start it."""

    def daemon(self, *arguments: str) -> Daemon:
        return Daemon(temporary_folder(self), "netlab-calc", "--listen", "tcp:0:interface=127.0.0.1", *arguments)

    def assert_recorded(self, packet: bytes, vector: dict[str, object]) -> None:
        header = Header.decode(packet)
        self.assertEqual(packet[12:].hex(), vector["body"], vector["text"])
        self.assertEqual(header.status, vector["status"])
        self.assertEqual(header.length, vector["response_length"])
        self.assertEqual(header.steps, vector["show_steps"])
        self.assertEqual((header.cache, header.max_age), (vector["cache"], vector["cache_control"]))
        self.assertGreater(header.timestamp, 1_700_000_000)

    def test_recorded_requests(self) -> None:
        """The recorded requests get the recorded answers: one a connection, all on one, pipelined, byte by byte."""
        with self.daemon() as daemon:
            requests = [bytes.fromhex(vector["request"]) for vector in VECTORS]
            for sent, vector in zip(requests[:3], VECTORS, strict=False):
                with Client(daemon.port) as client:
                    client.send(sent)
                    self.assert_recorded(client.packet(), vector)
            with Client(daemon.port) as client:
                client.send(b"".join(requests))
                for vector in VECTORS:
                    self.assert_recorded(client.packet(), vector)
                client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in requests[0]:
                    client.send(bytes((byte,)))
                self.assert_recorded(client.packet(), VECTORS[0])
            daemon.wait_for(r"\{127\.0\.0\.1:\d+\} Got request of length 687 bytes")
            daemon.wait_for(r"\{127\.0\.0\.1:\d+\} Sending response of length 564 bytes")
            daemon.wait_for(r"\{127\.0\.0\.1:\d+\} Connection closed")
            daemon.wait_for(r"Connection established with 127\.0\.0\.1:\d+")

    def test_bad_input(self) -> None:
        """Every bad input has the answer that the protocol gives it, and the daemon lives."""
        reserved = bytearray(request("1"))
        reserved[6] |= 0x20
        response = encode_packet(b"{}", timestamp=0, status=SUCCESS)
        with self.daemon() as daemon:
            with Client(daemon.port) as client:
                for bad in (b"junk", b"", b"\x80\x04cos\nsystem\n\x8c\x04true\x85R.", b'{"expression": "1 +"}'):
                    client.send(encode_packet(bad, timestamp=0, request=True))
                    self.assertEqual(Header.decode(client.packet()).status, CLIENT_ERROR)
                client.send(response + request("6 * 7"))
                self.assertEqual(Header.decode(client.packet()).status, CLIENT_ERROR)
                self.assertIn(b"42", client.packet())
            for broken in (bytes(12), bytes(reserved)):
                with Client(daemon.port) as client:
                    client.send(request("1") + broken + b"x" * 200_000)
                    self.assertEqual(Header.decode(client.packet()).status, SUCCESS)
                    self.assertEqual(Header.decode(client.packet()).status, CLIENT_ERROR)
                    self.assertTrue(client.at_end())
            with Client(daemon.port) as client:
                client.send(request("2 ** 10"))
                self.assertIn(b"1024", client.packet())

    def test_peers_that_stall(self) -> None:
        """A packet never finished and an idle peer are closed after their time-outs."""
        with (
            self.daemon("--idle-timeout", "0.5", "--packet-timeout", "0.3") as daemon,
            Client(daemon.port) as idle,
            Client(daemon.port) as slow,
        ):
            slow.send(request("1")[:20])
            self.assertTrue(slow.at_end())
            self.assertTrue(idle.at_end())
            daemon.wait_for("a packet was not finished in 0.3 s")
            daemon.wait_for("nothing asked or read for 0.5 s")

    def test_peer_that_does_not_read(self) -> None:
        """A peer that asks and asks and reads nothing is not read from; memory stays; in the end it is cut off."""
        question = request("+".join(["12345678"] * 70))
        with self.daemon("--idle-timeout", "2") as daemon, Client(daemon.port) as client:
            client.send(question)
            client.packet()
            before = daemon.memory()
            client.socket.settimeout(1)
            sent = 0
            try:
                for _ in range(2_000):
                    sent += client.socket.send(question * 10)
            except TimeoutError:
                pass
            except OSError as error:
                self.fail(f"closed too early: {error}")
            self.assertLess(sent, 16 << 20)
            self.assertLess(daemon.memory() - before, 16 << 20)
            daemon.wait_for("nothing asked or read for 2 s")

    def test_crowd(self) -> None:
        """A crowd that comes while the daemon is busy is taken by the kernel at once, and answered."""
        with self.daemon("--no-request-log") as daemon, ExitStack() as crowd:
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                clients = [crowd.enter_context(Client(daemon.port)) for _ in range(100)]
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            for client in clients:
                client.send(request("1 + 1"))
            for client in clients:
                self.assertIn(b'"result": 2', client.packet())

    def test_stops_cleanly(self) -> None:
        """SIGTERM: idle clients are closed, a packet begun is answered, nobody new comes in, exit 0."""
        packet = request("1 + 1")
        with self.daemon() as daemon, Client(daemon.port) as idle, Client(daemon.port) as busy:
            busy.send(packet)
            busy.packet()
            busy.send(packet + packet[:20])
            busy.packet()
            daemon.process.send_signal(signal.SIGTERM)
            self.assertTrue(idle.at_end())
            self.assertRaises(ConnectionRefusedError, Client, daemon.port)
            busy.send(packet[20:])
            self.assertIn(b'"result": 2', busy.packet())
            self.assertTrue(busy.at_end())
            self.assertEqual(daemon.wait(), 0)
        again = Daemon(temporary_folder(self), "netlab-calc", "--listen", f"tcp:{daemon.port}:interface=127.0.0.1")
        with again, Client(daemon.port) as client:
            client.send(packet)
            self.assertIn(b'"result": 2', client.packet())

    def test_one_write(self) -> None:
        """All answers that are ready in one turn leave in one system call."""
        strace = require_program("strace")
        folder = temporary_folder(self)
        trace = folder / "trace"
        with self.daemon("--no-request-log") as daemon, Client(daemon.port) as client:
            tracer = subprocess.Popen(
                [
                    strace,
                    "-f",
                    "-e",
                    "trace=sendto,sendmsg,write,writev",
                    "-o",
                    str(trace),
                    "-p",
                    str(daemon.process.pid),
                ],
                stderr=subprocess.PIPE,
                text=True,
            )
            assert tracer.stderr is not None
            self.assertIn("attached", tracer.stderr.readline())
            client.send(request("6 * 7") * 20)
            for _ in range(20):
                self.assertIn(b"42", client.packet())
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=PATIENCE)
        sends = [line for line in trace.read_text().splitlines() if "result" in line or "sendto" in line]
        self.assertEqual(len(sends), 1, sends)

    def test_busy_port_and_bad_values(self) -> None:
        """What cannot start says so in one line and exits with 1."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for arguments, line in (
                (("--listen", f"tcp:{port}:interface=127.0.0.1"), "cannot listen on .*Address already in use"),
                (("--listen", "nonsense:1"), "--listen nonsense:1 is no endpoint"),
                (("--max-age", "soon"), "--max-age soon: inf, or a whole number from 0 to 65,534"),
                (("--idle-timeout", "-1"), "--idle-timeout -1: a time in seconds"),
                (("--max-nodes", "0"), "--max-nodes 0: a whole number"),
                (("--what",), "option --what not recognized"),
                (("--log-json", "/nowhere/log"), "cannot write the log /nowhere/log: No such file"),
            ):
                ended = run_to_its_end(temporary_folder(self), "netlab-calc", *arguments)
                self.assertEqual(ended.returncode, 1, ended)
                self.assertRegex(ended.stderr, line)
                self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)

    def test_json_log_and_quiet_log(self) -> None:
        """--log-json writes structured events; --no-request-log leaves requests and orderly connections out."""
        for options, count in (((), 1), (("--no-request-log",), 0)):
            path = temporary_folder(self) / "log"
            with self.daemon("--log-json", str(path), *options) as daemon, Client(daemon.port) as client:
                client.send(request("1"))
                client.packet()
            events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            peers = [
                event["peer"] for event in events if event.get("log_format", "").startswith("Connection established")
            ]
            self.assertEqual(len(peers), count)
            self.assertTrue(all(peer.startswith("127.0.0.1:") for peer in peers))
            for words in ("Got request", "Connection established"):
                self.assertEqual(words in daemon.log, bool(count))

    def test_unix_endpoint(self) -> None:
        """A UNIX socket works as well as TCP."""
        path = temporary_folder(self) / "s"
        with Daemon(path.parent, "netlab-calc", "--listen", f"unix:{path}") as daemon:
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(path))
            with Client(0, client) as talk:
                talk.send(request("1 + 2"))
                self.assertIn(b'"result": 3', talk.packet())
            daemon.wait_for(r"Connection closed\n")

    def test_tls_endpoint(self) -> None:
        """TLS works, pipelined and past what one write holds."""
        openssl = require_program("openssl")
        folder = temporary_folder(self)
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
             "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
            check=True, capture_output=True, timeout=PATIENCE,
        )  # fmt: skip
        context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        listen = f"ssl:0:interface=127.0.0.1:privateKey={folder}/key.pem:certKey={folder}/cert.pem"
        with Daemon(folder, "netlab-calc", "--listen", listen) as daemon:
            port = int(daemon.wait_for(r"listens on 127\.0\.0\.1:(\d+)")[1])
            plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
            with Client(0, context.wrap_socket(plain, server_hostname="localhost")) as client:
                client.send(request("+".join(["1234567"] * 60)) * 40)
                for _ in range(40):
                    self.assertIn(b'"result": 74074020', client.packet())
