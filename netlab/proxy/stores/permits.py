"""The right to store an answer that is on its way, which a purge ends."""

from weakref import WeakSet

from attrs import define


@define(eq=False)
class Permit:
    """The right to store one answer for ``key``; ``valid`` until what is stored for that key is purged."""

    key: bytes
    valid: bool = True


class Permits:
    """Every permit that somebody still holds."""

    def __init__(self) -> None:
        self._held: WeakSet[Permit] = WeakSet()

    def give(self, key: bytes) -> Permit:
        """A permit for what is asked for from now on; who lets go of it needs not tell."""
        permit = Permit(key)
        self._held.add(permit)
        return permit

    def keys(self) -> list[bytes]:
        """The keys of those that are held."""
        return [permit.key for permit in self._held]

    def end(self, key: bytes | None = None) -> None:
        """End those for ``key``; all of them for `None`."""
        for permit in self._held:
            if key is None or permit.key == key:
                permit.valid = False
