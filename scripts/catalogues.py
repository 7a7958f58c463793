"""The catalogues of what the microscope and the lab bench say: extract, merge into each .po, compile to a .mo.

English is the language of the messages, so its catalogue translates each by itself. ``--check`` changes nothing and
fails if a catalogue is not what this would make of it, or has an untranslated message.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
#: Package: whose words these are. Each has its catalogues in its folder ``words``.
PACKAGES = {"netlab/trace": "netlab's microscope", "netlab/lab": "netlab's lab bench"}
KEYWORDS = {"said": None, "counted": (1, 2)}
#: Language: its name and its plural forms (Unicode CLDR, cardinals; Hebrew has a dual).
LANGUAGES = {
    "en": ("English", "nplurals=2; plural=(n != 1);"),
    "he": ("Hebrew", "nplurals=3; plural=(n == 1 ? 0 : n == 2 ? 1 : 2);"),
}


class Plain(Catalog):
    """A catalogue whose header says what it is, and not when and by which program it was made."""

    @property
    def num_plurals(self) -> int:
        """How many forms a noun has."""
        return int(LANGUAGES[str(self.locale)][1].partition("=")[2].partition(";")[0])

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The header's lines."""
        return [
            ("Language", str(self.locale)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", LANGUAGES[str(self.locale)][1]),
        ]


def template(package: str) -> Catalog:
    """Every message in the code of a package."""
    catalog = Catalog(fuzzy=False)
    found = extract_from_dir(ROOT / package, keywords=KEYWORDS, comment_tags=(), method_map=[("**.py", "python")])
    for file, _line, message, _comments, _context in sorted(found, key=lambda one: one[:2]):
        catalog.add(message, None, [(f"{package}/{file}", None)])
    return catalog


def updated(code: str, package: str, source: Catalog) -> Catalog:
    """The catalogue of a language with exactly the messages of ``source``."""
    name = LANGUAGES[code][0]
    path = ROOT / package / f"words/{code}.po"
    old = read_po(path.open("rb"), code) if path.exists() else Catalog(code)
    catalog = Plain(code, fuzzy=False)
    for message in source:
        if not message.id:
            continue
        before = old.get(message.id if isinstance(message.id, str) else message.id[0])
        translation = message.id if code == "en" else _kept(message, before)
        catalog.add(message.id, translation, message.locations, flags=())
    catalog.header_comment = f"# {name} words of {PACKAGES[package]}; scripts/words keeps this file in order."
    return catalog


def _kept(message: Message, before: Message | None) -> object:
    """The translation that was there, if it is of the same message."""
    return before.string if before is not None and before.id == message.id else None


def missing(catalog: Catalog) -> list[str]:
    """The messages without a translation, or without one for every plural form."""
    return [
        str(one.id) for one in catalog if one.id and not (one.string if isinstance(one.id, str) else all(one.string))
    ]


def written(catalog: Catalog) -> tuple[bytes, bytes]:
    """The bytes of the .po and of the .mo."""
    po, mo = BytesIO(), BytesIO()
    write_po(po, catalog, width=120, sort_output=False, include_lineno=False)
    write_mo(mo, catalog)
    return po.getvalue(), mo.getvalue()


def main() -> int:
    """Write the catalogues, or check them."""
    check = "--check" in sys.argv[1:]
    return max(_package(package, code, check) for package in PACKAGES for code in LANGUAGES)


def _package(package: str, code: str, check: bool) -> int:
    """Write or check one catalogue; 1 if something is wrong with it."""
    bad = 0
    catalog = updated(code, package, template(package))
    for suffix, data in zip(("po", "mo"), written(catalog), strict=True):
        path = ROOT / package / f"words/{code}.{suffix}"
        if path.exists() and path.read_bytes() == data:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} is not up to date: run scripts/words")
            bad = 1
        else:
            path.write_bytes(data)
    for message in missing(catalog):
        print(f"{package}/words/{code}.po has no translation of: {message}")
        bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
