"""Other people's clients: httpx, curl, and a browser that shows every image."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import httpx
from twisted.trial.unittest import SynchronousTestCase

from netlab.web.sample import SAMPLE, TARGETS
from tests.daemons import Daemon
from tests.parts import require_program, temporary_folder

#: A browser takes its time to start on a busy machine.
PATIENCE = 120.0

#: What a page says of its images when all have been loaded, or not.
SCRIPT = """<script>
addEventListener("load", () => {
  document.body.dataset.widths = [...document.images].map((image) => image.naturalWidth).join(" ");
});
</script>"""


class ForeignClientTests(SynchronousTestCase):
    """The sample site, by clients that are not ours."""

    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.root = self.folder / "site"
        shutil.copytree(SAMPLE, self.root)

    def daemon(self, *arguments: str) -> Daemon:
        words = ("--listen", "tcp:0:interface=127.0.0.1", "--root", str(self.root), *arguments)
        return Daemon(self.folder, "netlab-web", *words)

    def test_httpx(self) -> None:
        """Every target over one connection, packed and plain, redirects followed, a copy found to be good."""
        with self.daemon("--redirect", "/redirect=/result.html", "--idle-timeout", "10") as daemon:
            base = f"http://127.0.0.1:{daemon.port}"
            with httpx.Client(base_url=base, follow_redirects=True, trust_env=False) as client:
                for target in TARGETS:
                    answer = client.get(target)
                    self.assertEqual(answer.status_code, 200, target)
                    file = {"/": "/index.html", "/redirect": "/result.html"}.get(target, target)
                    self.assertEqual(answer.content, (self.root / file[1:]).read_bytes(), target)
                    tag = {"If-None-Match": answer.headers["ETag"]}
                    self.assertEqual(client.get(target, headers=tag).status_code, 304, target)
            daemon.wait_for(rf"Connection closed after {2 * len(TARGETS) + 2} requests: data is empty")
            self.assertEqual(daemon.log.count("Connection established"), 1)

    def test_curl(self) -> None:
        """Ranges, a download that goes on where it ended, an upload that is refused, and what HTTP/2 is offered."""
        curl = [require_program("curl"), "-sS", "--noproxy", "*"]
        noise = (self.root / "images/noise.png").read_bytes()
        with self.daemon() as daemon:
            url = f"http://127.0.0.1:{daemon.port}/images/noise.png"

            def run(*words: str) -> bytes:
                return subprocess.run([*curl, *words], check=True, capture_output=True, timeout=PATIENCE).stdout

            self.assertEqual(run("-r", "5-9", url), noise[5:10])
            part = self.folder / "part"
            part.write_bytes(noise[:40_000])
            run("-C", "-", "-o", str(part), url)
            self.assertEqual(part.read_bytes(), noise)
            self.assertEqual(
                run("-w", "%{http_code} %{num_connects}", "-o", "/dev/null", "-T", str(part), url), b"405 1"
            )
            self.assertEqual(run("--http2", "-w", "%{http_version}", "-o", "/dev/null", url), b"1.1")
            page = run("--compressed", f"http://127.0.0.1:{daemon.port}/gallery.html")
            self.assertEqual(page, (self.root / "gallery.html").read_bytes())

    def test_browser(self) -> None:
        """A real browser loads the page with 12 images, and all of them show; in the lab's mode too."""
        chromium = next(
            (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
        )
        browser = chromium or require_program("chromium")
        page = self.root / "gallery.html"
        page.write_text(page.read_text().replace("</body>", SCRIPT + "</body>"))
        for mode in ([], ["--lab"]):
            with self.daemon(*mode) as daemon:
                dom = dumped(
                    browser, f"http://127.0.0.1:{daemon.port}/gallery.html", self.folder / f"profile{len(mode)}"
                )
                widths = re.search(r'data-widths="([\d ]*)"', dom)
                assert widths is not None, dom[-2_000:]
                self.assertEqual([int(width) > 0 for width in widths[1].split()], [True] * 12)
                daemon.wait_for("/images/noise.png HTTP/1.1. 200 91379")
                connections = daemon.log.count("Connection established")
                self.assertLessEqual(connections, 8)


def dumped(browser: str, url: str, profile: Path) -> str:
    """The document as the browser has it after loading."""
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"]
    command = [browser, *quiet, f"--user-data-dir={profile}", "--timeout=30000", "--dump-dom", url]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return run.stdout
