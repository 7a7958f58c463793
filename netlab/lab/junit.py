"""Verified bundles as JUnit XML, for servers that mark work."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from netlab.lab.verifying import FAILED, SKIPPED, Verified
from netlab.trace.words.language import Language


def xml(found: Iterable[Verified], language: Language) -> str:
    """The document: a suite for each bundle, a case for each check."""
    suites = Element("testsuites")
    for one in found:
        counts = {outcome: sum(each.outcome == outcome for each in one.checks) for outcome in (FAILED, SKIPPED)}
        suite = SubElement(suites, "testsuite", name=_clean(one.name), tests=str(len(one.checks)))
        suite.set("failures", str(counts[FAILED]))
        suite.set("skipped", str(counts[SKIPPED]))
        for each in one.checks:
            case = SubElement(suite, "testcase", classname=_clean(one.name), name=_clean(each.name))
            said = _clean(each.reason if isinstance(each.reason, str) else language.say(each.reason))
            if each.outcome == FAILED:
                SubElement(case, "failure", message=said)
            elif each.outcome == SKIPPED:
                SubElement(case, "skipped", message=said)
            else:
                SubElement(case, "system-out").text = said
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot have."""
    return "".join(character if character.isprintable() else "�" for character in text)
