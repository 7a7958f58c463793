"""How long to leave alone what has failed."""

from attrs import frozen


@frozen
class Backoff:
    """Times in seconds: the first one, what each further failure multiplies it by, and the longest.

    ``jitter`` is the part of each time that is left to chance, so that many proxies do not come back in step.
    """

    first: float = 0.25
    factor: float = 2.0
    longest: float = 30.0
    jitter: float = 0.5

    def after(self, failures: int, chance: float) -> float:
        """How long to wait after so many failures in a row, at least one; ``chance`` is from 0 to 1."""
        whole = min(self.longest, self.first * self.factor ** min(failures - 1, 60))
        return whole * (1 - self.jitter * chance)
