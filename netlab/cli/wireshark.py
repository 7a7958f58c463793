"""``netlab wireshark``: puts our dissector where Wireshark finds it."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from netlab.cli.terminal import Failed

_NAME = "netlab.lua"
_SOURCE = Path(__file__).parents[1] / "trace" / "wireshark" / _NAME

#: The beginning of every version of our file: what may be replaced, and what is somebody else's.
_MARK = "-- Wireshark's eyes for netlab"

#: Seconds for tshark to name its folders.
_PATIENCE = 20

_EPILOG = """\b
examples:
  netlab wireshark --install              for this user; then restart Wireshark, or press Ctrl+Shift+L in it
  netlab wireshark --print >netlab.lua    to look at it, or to put it elsewhere
  tshark -r FILE -X lua_script:netlab.lua -Y 'netlab_calc.status == 400'
"""


@click.command(epilog=_EPILOG)
@click.option("--install", is_flag=True, help="Write it into Wireshark's folder of personal plugins.")
@click.option("--print", "show", is_flag=True, help="Write it to standard output.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Install it into this folder.  [default: the one that tshark names]",
)
def wireshark(install: bool, show: bool, folder: Path | None) -> None:
    """Show the calculator's and the watchdog's packets in Wireshark and tshark.

    The dissector is a Lua file: every field of the header can be filtered by, requests and responses are matched,
    faults are expert notes. Filters begin with netlab_calc. and netlab_watchdog.
    """
    if install == show:
        raise click.UsageError("give one of --install and --print")
    text = dissector()
    if show:
        sys.stdout.write(text)
        return
    path = _install(folder or _plugin_folder(), text)
    click.echo(f"wrote {path}; Wireshark reads it when it starts, or at Ctrl+Shift+L")


def dissector() -> str:
    """The Lua file itself."""
    return _SOURCE.read_text("utf-8")


def _install(folder: Path, text: str) -> Path:
    """Write the file, whole or not at all.

    :raises Failed: the folder cannot be written, or has a file of this name that is not ours.
    """
    path = folder / _NAME
    half = folder / f".{_NAME}.{os.getpid()}"
    try:
        if path.exists() and not path.read_text("utf-8", errors="replace").startswith(_MARK):
            raise Failed(f"netlab wireshark: {path} is not netlab's; move it away, or install with --folder elsewhere")
        folder.mkdir(parents=True, exist_ok=True)
        half.write_text(text, "utf-8")
        half.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink()
        raise Failed(
            f"netlab wireshark: cannot write {path}: {error.strerror}; name another folder with --folder"
        ) from None
    return path


def _plugin_folder() -> Path:
    """Where this user's Wireshark looks for Lua plugins: what tshark says, or where it is by default."""
    tshark = shutil.which("tshark")
    if tshark is not None:
        said = _output([tshark, "-G", "folders"])
        for line in said.splitlines():
            name, _, folder = line.partition(":")
            if name == "Personal Lua Plugins" and folder.strip():
                return Path(folder.strip())
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "~")).expanduser() / "Wireshark" / "plugins"
    return Path("~/.local/lib/wireshark/plugins").expanduser()


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
