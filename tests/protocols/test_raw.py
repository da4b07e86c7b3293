# SPDX-License-Identifier: Apache-2.0
"""The raw protocols of both versions when something is short: nothing is kept, nothing is lost."""

from collections.abc import Callable, Iterator

import pytest

from hilnic.ndis import NdisStatus, bind_protocol
from hilnic.ndis.ndis5 import Packet
from hilnic.protocols.raw import RawProtocol
from hilnic.protocols.raw5 import RawBinding5, RawProtocol5
from hilnic.testing import NdisBench
from hilnic.testing.bench5 import Bench5
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.pytest_plugin import benches


@pytest.fixture
def bench() -> Iterator[Callable[..., NdisBench]]:
    """What a test leaves behind fails it (V9)."""
    yield from benches(NdisBench)


@pytest.fixture
def bench5() -> Iterator[Callable[..., Bench5]]:
    """The same of NDIS 5."""
    yield from benches(Bench5)


class Inline(FunctionalMiniport5):
    """Every send ends at once."""

    def take(self, packet: Packet) -> int:
        """Note it, and be done."""
        self.sent_frames.append(packet.tobytes())
        return NdisStatus.SUCCESS


def on(b: Bench5, **options: int) -> tuple[RawProtocol5, RawBinding5]:
    """A raw protocol of NDIS 5 on the functional miniport."""
    raw = RawProtocol5(**options)
    b.run(raw.register(b.ndis))
    return raw, raw.bindings[b.fm.name]


@pytest.mark.parametrize("kind", [RawProtocol, RawProtocol5])
def test_a_binding_that_cannot_be_opened_leaves_nothing_and_the_next_one_works(bench, kind) -> None:
    b, raw = bench(protocols=0), kind()
    b.fm.adapter.removed = True
    b.run(raw.register(b.ndis))
    assert raw.bindings == {}
    b.fm.adapter.removed = False
    b.run(bind_protocol(raw.handle, b.fm.adapter))
    assert list(raw.bindings) == ["fm"]
    b.run(raw.deregister())


def test_a_closed_binding_sends_nothing_and_takes_no_memory(bench5) -> None:
    b = bench5()
    raw, binding = on(b)
    b.run(raw.deregister())
    before = len(b.kernel.regions)
    for send in (binding.send, binding.send_one):
        with pytest.raises(RuntimeError, match="is closed"):
            send(b.frame())
    assert len(b.kernel.regions) == before


@pytest.mark.parametrize(("number", "fragments"), [(3, 1), (1, 17), (2, 9)])
def test_a_send_that_is_short_of_packets_or_descriptors_takes_none(bench5, number, fragments) -> None:
    b = bench5(miniport=Inline)
    raw, binding = on(b, packets=2)
    with pytest.raises(RuntimeError, match="is left"):
        binding.send(*[b.frame(n, 300) for n in range(number)], fragments=fragments)
    assert (binding.outstanding, b.fm.sent_frames) == (0, [])
    binding.send(b.frame(7), b.frame(8))
    assert b.fm.sent_frames == [b.frame(7), b.frame(8)]
    b.run(raw.deregister())


def test_a_frame_is_not_accepted_without_memory_for_its_rest(bench5) -> None:
    b = bench5(handlers=())
    raw, binding = on(b)
    b.kernel.fail_allocations = 1
    b.fm.indicate_lookahead(b.frame(1, 600), 128)
    assert binding.received == []
    b.fm.indicate_lookahead(b.frame(2, 600), 128)
    assert binding.received == [b.frame(2, 600)]
    b.run(raw.deregister())
