"""Requests made quickly, against those made plainly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.icmp.packet import Family, encode_request, expected_reply
from netlab.icmp.payload import LabPayload, Payload, TokenPayload
from netlab.icmp.template import template

payloads = st.builds(TokenPayload, st.binary(min_size=8, max_size=8), st.integers(0, 300)) | st.builds(LabPayload)
numbers = st.integers(0, 2**63) | st.integers(0, 200_000)


class TemplateTests(SynchronousTestCase):
    """The requests of a session."""

    @given(st.sampled_from(Family), st.integers(0, 0xFFFF), payloads, st.lists(numbers, max_size=20))
    def test_same(self, family: Family, identifier: int, payload: Payload, those: list[int]) -> None:
        """Byte for byte what the plain way makes, with the reply where it can be told, for any number and size."""
        make = template(family, identifier, payload)
        for number in those:
            request = encode_request(family, identifier, number & 0xFFFF, payload.of(number))
            told = family is Family.IPV4 and len(request) <= 256
            self.assertEqual(make(number), (request, expected_reply(request) if told else b""))

    def test_every_checksum(self) -> None:
        """All 65,536 sequence numbers, so that every checksum there can be is among them, zero too."""
        payload = TokenPayload(b"secret!!", 56)
        make = template(Family.IPV4, 7, payload)
        checksums = set()
        for number in range(0x20000):
            request, reply = make(number)
            checksums.add(request[2:4])
            if number % 251 == 0 or request[2:4] in {b"\0\0", b"\xff\xff"}:
                plain = encode_request(Family.IPV4, 7, number & 0xFFFF, payload.of(number))
                self.assertEqual((request, reply), (plain, expected_reply(plain)))
        self.assertIn(b"\0\0", checksums)
