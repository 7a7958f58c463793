"""``twistd netlab-web``: the options of the file server and the service they make."""

import re
import secrets
import time
from pathlib import Path
from typing import Any

from attrs import asdict
from twisted.application.service import IService
from twisted.python.usage import UsageError

from netlab.common.daemon import CannotStart, DaemonOptions, option, seconds, whole
from netlab.common.serving_options import CONNECTION_PARAMETERS, daemon_service
from netlab.web.access_file import AccessFile, AccessLog, DaemonLog
from netlab.web.access_log import Combined, Form, JsonLines
from netlab.web.errors import TargetRefused
from netlab.web.folder import Folder
from netlab.web.kept import Kept
from netlab.web.limits import Limits
from netlab.web.sample import SAMPLE, SAMPLE_REDIRECTS
from netlab.web.server import WebFactory
from netlab.web.site import OldSite, OriginSite, Redirects, Site, redirects_of

_LIMITS = Limits()

_RULE = re.compile(r"(?:(?P<status>301|302|303|307|308):)?(?P<source>/[!-<>-~]*)=(?P<target>[!-~]+)")

_LISTEN = (
    "Where to listen, an endpoint: tcp:8080 (all interfaces), unix:web.sock, "
    "ssl:8443:privateKey=key.pem:certKey=cert.pem"
)
_ROOT = "The folder to serve; without it, the sample site that comes with netlab"
_MEMORY = "Bytes of small files that are kept in memory, each checked before it is sent; 0 to read them every time"
_REQUEST = "Seconds in which a request begun must be finished"
_SEND = "Seconds after which a client that takes nothing of what waits for it is closed"
_ACCESS = "Write the access log to this file, not to the daemon's own"
_FORMAT = "How: combined, the format of Apache and nginx; or json, an event a line"


def access_format(text: str) -> str:
    """A coercion: the form of the access log."""
    if text not in _FORMS:
        raise ValueError(f"one of {', '.join(_FORMS)} belongs here")
    return text


_FORMS: dict[str, type[Form]] = {"combined": Combined, "json": JsonLines}


class Options(DaemonOptions):
    """The command line of ``twistd netlab-web``."""

    daemon = "netlab-web"
    synopsis = "[options]"
    longdesc = (
        "A folder over HTTP/1.1. With --lab it answers byte for byte as the old server of the networks labs did. "
        "Look at it with a browser, or with: netlab web /"
    )

    optParameters = [
        option("root", None, _ROOT),
        option("listen", "tcp:8080:interface=127.0.0.1", _LISTEN),
        option("memory", 16 << 20, _MEMORY, whole(0)),
        option("idle-timeout", _LIMITS.idle_timeout, "Seconds of silence after which a client is closed", seconds),
        option("request-timeout", _LIMITS.request_timeout, _REQUEST, seconds),
        option("send-timeout", _LIMITS.send_timeout, _SEND, seconds),
        option("max-head", _LIMITS.max_head, "Bytes of a request line and its fields", whole(64, 1 << 20)),
        option("max-target", _LIMITS.max_target, "Bytes of a request target", whole(16, 1 << 20)),
        option("max-fields", _LIMITS.max_fields, "Fields of a request", whole(1, 10_000)),
        option("access-log", None, _ACCESS),
        option("access-format", "combined", _FORMAT, access_format),
        *CONNECTION_PARAMETERS,
    ]
    optFlags = [
        ["lab", None, "Answer with the lab's old bytes"],
        ["listing", None, "Show the names in folders without an index.html"],
        ["follow-symlinks", None, "Follow symbolic links that leave the folder"],
        ["no-gzip", None, "Send nothing packed, whoever asks for it"],
        ["no-request-log", None, "Leave the lines for each request out of the log"],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.redirects: list[tuple[int, str, str]] = []

    def postOptions(self) -> None:
        """Refuse a format for an access log that is not asked for."""
        if self["access-format"] == "json" and not self["access-log"]:
            raise UsageError("--access-format json: give --access-log FILE, too, or --log-json FILE for the whole log")

    def opt_redirect(self, rule: str) -> None:
        """FROM=TO is sent on by a 301; 302:FROM=TO by a 302 (or 303, 307, 308). May be given more than once."""
        found = _RULE.fullmatch(rule)
        if found is None:
            raise self.refused(f"--redirect {rule}: something like /old=/new.html or 302:/old=/new.html belongs here")
        self.redirects.append((int(found["status"] or 301), found["source"], found["target"]))


def makeService(options: Options, reactor: Any = None) -> IService:
    """The daemon as a service.

    :param reactor: for tests; `None` for the one twistd runs.
    :raises CannotStart: ``--listen`` is no endpoint, ``--root`` no folder, a redirect begins nowhere.
    """
    if reactor is None:
        from twisted.internet import reactor
    access = _access(options, reactor)
    factory = factory_of(options, reactor, access)
    needed = [access] if isinstance(access, AccessFile) else []
    # A client may have a file open besides its socket.
    return daemon_service(options, factory, reactor, needed, files_each=2)


def factory_of(options: Options, reactor: Any, access: AccessLog | None = None) -> WebFactory:
    """What the options say is served, without anything that listens.

    :raises CannotStart: as `makeService`.
    """
    return WebFactory(_site(options), reactor, _limits(options), access)


def _limits(options: Options) -> Limits:
    return Limits(**{name: options[name.replace("_", "-")] for name in asdict(_LIMITS) if name != "stop_timeout"})


def _access(options: Options, reactor: Any) -> AccessLog | None:
    if options["access-log"]:
        return AccessFile(options["access-log"], _FORMS[options["access-format"]](), reactor)
    return None if options["no-request-log"] else DaemonLog()


def _site(options: Options) -> Site:
    root = options["root"] or str(SAMPLE)
    if not Path(root).is_dir():
        raise CannotStart(f"netlab-web: --root {root} is no folder; name one, or leave it out for the sample site")
    kept = Kept(options["memory"])
    packs = not options["no-gzip"] and not options["lab"]
    folder = Folder(root, kept, follow_symlinks=options["follow-symlinks"], packs=packs, wall=time.time)
    redirects = _redirects(options)
    if options["lab"]:
        return OldSite(folder, redirects)
    boundary = secrets.token_hex(16)
    return OriginSite(folder, redirects, lists=options["listing"], boundary=boundary, wall=time.time)


def _redirects(options: Options) -> Redirects:
    """Those that are asked for, and the lab's own where the lab is: in its mode and on the sample site."""
    own = SAMPLE_REDIRECTS if options["lab"] or not options["root"] else []
    try:
        return redirects_of([*own, *options.redirects])
    except TargetRefused as error:
        raise CannotStart(f"netlab-web: --redirect: {error}") from None
