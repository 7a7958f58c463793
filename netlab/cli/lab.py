"""``netlab lab``: experiments set up, captured, checked and written up, each by one command."""

from pathlib import Path
from typing import Any

import click

from netlab.cli.terminal import Failed
from netlab.common.errors import NetlabError
from netlab.common.printable import printable

_EPILOG = """\b
examples:
  netlab lab run calc-outage                    one experiment, and its report in lab-reports/calc-outage
  netlab lab run all --quick                    all of them, with short delays
  netlab lab run tcp-v3 --student 123456789     with the ports and messages of this student
  netlab lab verify lab-reports/tcp-v3          somebody's report: is it true, and theirs?
"""

_FROM = click.option(
    "--from", "folder", type=click.Path(file_okay=False), help="A folder with experiments of your own, besides ours."
)


@click.group("lab", epilog=_EPILOG, no_args_is_help=True)
def lab() -> None:
    """Run the classic experiments, each in a network of its own.

    Each starts real daemons and clients, captures what they say, judges by the packets whether what should be seen was
    seen, and writes a report.
    """


@lab.command("list")
@_FROM
def list_(folder: str | None) -> None:
    """The experiments that there are."""
    from netlab.cli.lab_output import listed

    for line in listed(_experiments(folder)):
        click.echo(line)


@lab.command()
@click.argument("name")
@click.option("--student", metavar="ID", help="As this student would run it.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Other parameters.")
@click.option("--quick", is_flag=True, help="With short delays.")
@click.option("--lang", type=click.Choice(["en", "he"]), default="en", show_default=True, help="The language.")
@_FROM
def show(name: str, folder: str | None, lang: str, **options: Any) -> None:
    """What an experiment does, and what it has to prove."""
    from netlab.cli.lab_output import shown
    from netlab.lab.words.loading import language

    experiment = _chosen((name,), _experiments(folder))[0]
    for line in shown(experiment, _whose(options), language(lang)):
        click.echo(line)


@lab.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...|all")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    default="lab-reports",
    show_default=True,
    help="Where to write the reports, a folder for each.",
)
@click.option("--lang", type=click.Choice(["en", "he"]), default="en", show_default=True, help="The reports' language.")
@click.option("--student", metavar="ID", help="Ports, messages, expressions and delays of this student.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Others, or others of this student.")
@click.option("--quick", is_flag=True, help="Shorten the delays.")
@click.option("--machine", is_flag=True, help="On this machine's loopback, not in a network of its own.")
@click.option("--no-capture", is_flag=True, help="Without capturing: claims about packets cannot be told.")
@_FROM
@click.pass_context
def run(ctx: click.Context, /, names: tuple[str, ...], folder: str | None, out: str, **options: Any) -> None:
    """Run experiments, judge them, and write their reports.

    The exit code is 1 if any claim is disproved, or anything could not be run.
    """
    from netlab.cli.lab_run import Runs

    chosen = _chosen(names, _experiments(folder))
    runs = Runs(chosen, _whose(options), folder, Path(out), options)
    ctx.exit(runs.run())


@lab.command()
@click.argument("name")
@click.option(
    "--into", type=click.Path(file_okay=False), default=".", show_default=True, help="The folder to write it to."
)
def new(name: str, into: str) -> None:
    """Begin an experiment of your own: a file that runs as it is."""
    from netlab.cli.lab_new import write_new

    try:
        path = write_new(name, Path(into))
    except NetlabError as error:
        raise Failed(f"netlab lab new: {printable(str(error))}") from None
    click.echo(f"{path}: change it, and run it with: netlab lab run {name} --from {into}")


@lab.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True), metavar="FOLDER|ZIP...")
@click.option("--student", metavar="ID", help="Whose it has to be.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Which seed it has to have; with --student 0.")
@click.option(
    "--junit", type=click.Path(dir_okay=False), metavar="FILE", help="Write the results as JUnit XML as well."
)
@click.option("--lang", type=click.Choice(["en", "he"]), default="en", show_default=True, help="The language.")
@_FROM
@click.pass_context
def verify(
    ctx: click.Context,
    paths: tuple[str, ...],
    student: str | None,
    seed: int | None,
    junit: str | None,
    lang: str,
    folder: str | None,
) -> None:
    """Check somebody's report, offline: its files, its capture, every claim, and whose parameters it has.

    Nothing in it is run or unpacked. The exit code is 1 if anything is not as it says, or not proved.
    """
    from netlab.cli.lab_verify import verified
    from netlab.lab.verifying import Wanted

    ctx.exit(verified(paths, Wanted(_student(student), seed), junit, lang, _experiments(folder)))


def _experiments(folder: str | None) -> Any:
    from netlab.lab.loading import experiments

    try:
        return experiments(folder)
    except NetlabError as error:
        raise Failed(f"netlab lab: {printable(str(error))}") from None


def _chosen(names: tuple[str, ...], known: Any) -> list[Any]:
    """The experiments of these names, each once."""
    from difflib import get_close_matches

    wanted = dict.fromkeys(each for name in names for each in (known if name == "all" else (name,)))
    for name in wanted:
        if name not in known:
            close = get_close_matches(name, known)
            hint = f"did you mean {' or '.join(close)}?" if close else "netlab lab list shows them"
            raise click.UsageError(f"no experiment {printable(name)!r}; {hint}")
    return [known[name] for name in wanted]


def _whose(options: dict[str, Any]) -> Any:
    from netlab.lab.draw import Whose

    return Whose(_student(options["student"]) or "", options["seed"], options["quick"])


def _student(text: str | None) -> str | None:
    from netlab.lab.draw import student_id

    try:
        return None if text is None else student_id(text)
    except NetlabError as error:
        raise click.UsageError(f"--student: {error}") from None
