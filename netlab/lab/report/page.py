"""Glue: an experiment as one HTML page that needs nothing else; it is made of the pieces of the microscope's page."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from netlab.lab.manifest import commands
from netlab.lab.report import headings
from netlab.lab.report.chart import svg_chart
from netlab.lab.report.written import Written
from netlab.trace.report import headings as trace_headings
from netlab.trace.report import page
from netlab.trace.report.drawing import svg_pieces
from netlab.trace.words.language import Language

_HERE = Path(__file__).parent
_TRACE = Path(page.__file__).parent

#: Rows of a ladder that can be read on one sheet of paper; a longer one goes on over several.
_ROWS_OF_A_PAGE = 50


def report(written: Written, language: Language) -> Iterator[str]:
    """The pieces of the page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    result = written.result
    environment = Environment(
        loader=FileSystemLoader([_HERE, _TRACE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ladder = written.telling.ladder() if written.packets else None
    drawn = svg_pieces(ladder, written.roles, language, result.experiment.name, links=True) if ladder else ()
    return environment.get_template("lab.html").generate(
        language=language,
        say=language.say,
        h=headings,
        t=trace_headings,
        result=result,
        commands=commands(result),
        again=headings.again(result),
        ladder=ladder,
        fits=ladder is not None and len(ladder.rows) <= _ROWS_OF_A_PAGE,
        drawn=Markup("".join(drawn)),  # each drawing escapes what it draws
        charts=[
            (headings.request(number, headings.PATHS[one.verdict]), Markup("".join(svg_chart(one, language, number))))
            for number, one in enumerate(written.passages, 1)
        ],
        matter=[page.row_of(told, language) for told in written.that_matter],
        conversations=list(written.telling.conversations()) if written.packets else [],
        rows=[page.row_of(told, language) for told in islice(written.packets, page.MAX_ROWS)],
        more=max(0, len(written.packets) - page.MAX_ROWS),
        style=Markup((_TRACE / "page.css").read_text("utf-8") + (_HERE / "lab.css").read_text("utf-8")),
        script=Markup((_TRACE / "page.js").read_text("utf-8")),
    )
