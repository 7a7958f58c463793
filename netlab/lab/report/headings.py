"""The words around what is told of an experiment."""

from shlex import quote

from netlab.lab.claim import DISPROVED, PROVED, UNTOLD
from netlab.lab.result import Result
from netlab.trace.passage import HIT, MISS, NO_ANSWER, OUTAGE, OWN
from netlab.trace.words.sentence import Listing, Notation, Plain, Sentence, counted, frames, said

STORY = said("What happens")
COMMANDS = said("What was run")
AGAIN = said("To run it again:")
PATH = said("The way of each request")
LADDER = said("Ladder")
CLAIMS = said("What the capture proves")
CLAIM = said("Claim")
VERDICT = said("Verdict")
REASON = said("Why")
FRAMES = said("Packets")
MATTER = said("The packets that matter")
PARAMETERS = said("Parameters")
ALL = said("All packets")
CONVERSATIONS = said("Conversations")
NO_CAPTURE = said("Nothing was captured, so there are no packets to show.")

VERDICTS = {PROVED: said("proved"), DISPROVED: said("disproved"), UNTOLD: said("cannot be told")}

#: The boxes of the chart, and what is written beside its ways.
CLIENT, PROXY, CACHE, SERVER = said("client"), said("proxy"), said("in the cache, and fresh?"), said("server")
FROM_CACHE, STORE, FAILED = (
    said("answer from the cache"),
    said("answer of the server"),
    said("no server: an error, or a stale answer"),
)
YES, NO = said("yes"), said("no")

PATHS = {
    MISS: said("not in the cache, or not fresh: the server is asked"),
    HIT: said("in the cache and fresh: no packet to the server"),
    OUTAGE: said("not in the cache or not fresh, and the server is gone"),
    OWN: said("answered by the proxy itself"),
    NO_ANSWER: said("never answered"),
}


def title(result: Result) -> Sentence:
    """The heading of everything."""
    return said("{name}: {title}", name=Notation(result.experiment.name), title=result.experiment.title)


def for_whom(result: Result) -> Sentence:
    """Whose parameters these are."""
    if result.whose.student:
        return said(
            "The parameters are those of the student {student}, seed {seed}.",
            student=result.whose.student,
            seed=Plain(result.whose.seed),
        )
    if result.whose.seed:
        return said("The parameters are drawn from seed {seed}.", seed=Plain(result.whose.seed))
    return said("The parameters are those of the laboratory.")


def where(result: Result) -> Sentence:
    """In which network it was run."""
    if result.network == "own":
        return said("It was run in a network of its own.")
    return said("It was run on this machine's loopback.")


def again(result: Result) -> str:
    """The command that runs it again."""
    whose = result.whose
    words = ["netlab lab run", result.experiment.name]
    if whose.student:
        words.append(f"--student {quote(whose.student)}")
    if whose.seed:
        words.append(f"--seed {whose.seed}")
    if whose.quick:
        words.append("--quick")
    return " ".join(words)


def cited(numbers: tuple[int, ...]) -> Sentence | None:
    """Packets that are cited; `None` for none."""
    if not numbers:
        return None
    if len(numbers) == 1:
        return said("(packet {frame})", frame=Plain(numbers[0]))
    return said("(packets {frames})", frames=frames(numbers))


def totals(result: Result) -> Sentence:
    """How many claims have which verdict."""
    counts = result.verdicts
    told = [
        said("{count} {verdict}", count=counts[verdict], verdict=words)
        for verdict, words in VERDICTS.items()
        if counts[verdict]
    ]
    return counted(
        "{count} claim: {verdicts}.", "{count} claims: {verdicts}.", len(result.judged), verdicts=Listing(tuple(told))
    )


def request(number: int, way: Sentence) -> Sentence:
    """One request, and what became of it."""
    return said("Request {number}: {way}.", number=Plain(number), way=way)
