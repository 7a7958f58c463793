"""The order of answers that are waited for, and what is kept meanwhile."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.calculator import Reply
from netlab.calc.slots import Slots
from tests.calc.cases import tries


class SlotsTests(SynchronousTestCase):
    """Places taken in order and filled in any."""

    @tries(100)
    @given(st.data())
    def test_any_order(self, data: st.DataObject) -> None:
        """However answers come, they leave in the order of their requests, and nothing is kept in the end."""
        count = data.draw(st.integers(1, 12))
        slots = Slots()
        places = [slots.take(100 + number) for number in range(count)]
        self.assertEqual((len(slots), slots.size), (count, sum(100 + number for number in range(count))))
        gone: list[Reply] = []
        replies = [Reply(b"x" * number, stamped=data.draw(st.booleans())) for number in range(count)]
        filled: set[int] = set()
        for number in data.draw(st.permutations(range(count))):
            gone += slots.fill(places[number], replies[number])
            filled.add(number)
            ready = next((place for place in range(count) if place not in filled), count)
            self.assertEqual(gone, replies[:ready])
            kept = sum(replies[place].length if place in filled else 100 + place for place in range(ready, count))
            self.assertEqual((len(slots), slots.size), (count - ready, kept))

    def test_length(self) -> None:
        """A stamped reply has its time stamp already."""
        self.assertEqual(Reply(b"12345678").length, 12)
        self.assertEqual(Reply(b"123456789012", stamped=True).length, 12)
