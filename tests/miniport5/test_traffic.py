# SPDX-License-Identifier: Apache-2.0
"""Both Ethernet drivers of NDIS 5 on the twin, under protocols of either version."""

import pytest

from .conftest import frame, out, padded

LENGTHS = [14, 15, 31, 59, 60, 61, 77, 78, 79, 127, 128, 255, 511, 1023, 1513, 1514]
UPS = ("packet", "lookahead", "both", "6")
PAIRS = [
    (miniport, up) for miniport in ("5", "5-lookahead") for up in UPS if (miniport, up) != ("5-lookahead", "packet")
]
"""A lookahead is not for a protocol that has ProtocolReceivePacket alone."""


@pytest.mark.parametrize(("miniport", "up"), PAIRS)
def test_frames_of_every_length_pass_in_both_directions(host, miniport, up):
    h = host(miniport, up)
    h.inject(*[frame(n, length) for n, length in enumerate(LENGTHS)])
    frames = [out(n, length) for n, length in enumerate(LENGTHS)]
    h.binding.send(*frames, fragments=1)
    h.idle()
    h.run(400_000)
    assert h.sent == [padded(data) for data in frames]
    assert h.received == [padded(frame(n, length)) for n, length in enumerate(LENGTHS)]
