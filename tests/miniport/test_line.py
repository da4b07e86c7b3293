# SPDX-License-Identifier: Apache-2.0
"""Claims about two cards on one interrupt line: each driver serves its own card and leaves the other's alone."""

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.clock import VirtualClock
from hilnic.hw.line import CardOnLine, InterruptLine
from hilnic.hw.memory import HostMemory
from hilnic.miniport import driver
from hilnic.miniport.config import NicConfig
from hilnic.model.nic import ModelNic
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import Stack

SMALL = {"tx_ring": 16, "rx_ring": 64, "rx_buffers": 96, "rx_low_water": 0}


class TwoCards:
    """One host with two cards on a line, and a raw protocol on both."""

    def __init__(self, **config):
        self.clock, self.memory, self.line = VirtualClock(), HostMemory(16 << 20), InterruptLine()
        self.nics = [ModelNic(self.clock, self.memory) for _ in range(2)]
        self.cards = [CardOnLine(nic, self.line, f"card {n}", 4) for n, nic in enumerate(self.nics)]
        self.raw = RawProtocol()
        configs = [NicConfig(mac_address=bytes([2, 0, 0, 0, 0, n]), **SMALL, **config) for n in range(2)]
        self.stack = Stack(self.cards[0], self.clock, protocols=[self.raw], config=configs[0], verify="full")
        self.stack.cpu.attach(self.cards[1])
        self.second = driver.register(self.stack.host, configs[1])
        self.run(self.stack.start())
        _, self.adapter = self.run(ndis.start_adapter(self.stack.host, self.second, "nic1", self.cards[1]))
        self.adapters = [self.stack.adapter, self.adapter]

    def run(self, coroutine):
        return self.clock.run(coroutine)

    def pass_time(self, nanoseconds=100_000):
        self.clock.run_until(self.clock.now_ns() + nanoseconds)

    def binding(self, number):
        return self.raw.bindings[f"nic{number}"]

    def stop(self):
        if self.adapter in self.stack.host.adapters:
            self.run(ndis.halt_adapter(self.adapter))
        ndis.deregister_miniport_driver(self.second)
        self.run(self.stack.stop())
        assert self.memory.live_mappings() == self.memory.leaks() == []


@pytest.fixture
def two_cards():
    made = []

    def make(**config):
        made.append(TwoCards(**config))
        return made[-1]

    yield make
    for cards in made:
        cards.stop()


def frame(number, to):
    return bytes([2, 0, 0, 0, 0, to]) + b"\x02\0\0\0\0\x99\x88\xb5" + bytes([number]) * 50


@pytest.mark.rule("IT-02")
def test_each_card_is_served_by_its_own_driver(two_cards):
    cards = two_cards()
    before = cards.line.asked
    for number in range(20):
        for card, nic in enumerate(cards.nics):
            nic.wire.send(frame(number, card))
            cards.binding(card).send(frame(number, 7))
    cards.pass_time()
    for card in range(2):
        assert cards.binding(card).received == [frame(number, card) for number in range(20)]
        assert cards.binding(card).statistics().completed == 20
    assert cards.line.asked > before
    assert cards.stack.host.report.violations == []


@pytest.mark.rule("IT-02")
def test_traffic_of_one_card_touches_nothing_of_the_other(two_cards):
    cards = two_cards()
    idle, dpcs = cards.cards[0].pin.accesses, cards.stack.cpu.statistics().dpcs
    for number in range(5):
        cards.nics[1].wire.send(frame(number, 1))
        cards.pass_time()
    assert cards.cards[0].pin.accesses == idle
    assert cards.stack.cpu.statistics().dpcs == dpcs + 5
    assert len(cards.binding(1).received) == 5


@pytest.mark.rule("IT-02", "IT-03")
def test_a_dpc_with_more_to_indicate_is_queued_again_on_a_line_too(two_cards):
    cards = two_cards(dpc_budget=4, poll_ns=0)
    for number in range(30):
        cards.nics[0].wire.send(frame(number, 0))
    cards.pass_time()
    assert cards.binding(0).received == [frame(number, 0) for number in range(30)]


@pytest.mark.rule("IT-02", "OI-16")
def test_link_and_errors_come_over_the_line(two_cards):
    cards = two_cards()
    cards.nics[1].set_link(False)
    cards.pass_time()
    states = [one.buffer.media_connect_state for one in cards.binding(1).status_indications]
    assert states[-1] == ndis.MediaConnectState.DISCONNECTED
    assert cards.binding(0).status_indications == []


@pytest.mark.rule("IT-01", "IT-02")
def test_when_one_driver_has_left_the_other_still_has_the_line(two_cards):
    cards = two_cards()
    cards.run(ndis.halt_adapter(cards.adapter))
    assert cards.cards[1].pin.isr is None
    cards.nics[0].wire.send(frame(1, 0))
    cards.pass_time()
    assert cards.binding(0).received == [frame(1, 0)]


def test_a_card_behind_the_bridge_has_no_messages():
    clock = VirtualClock()
    nic = ModelNic(clock, HostMemory(1 << 20))
    card = CardOnLine(nic, InterruptLine(), "card", 4)
    with pytest.raises(TypeError, match="vector 1"):
        card.connect_interrupt(1, print)
    assert clock.run(card.read32(regs.ID)) == regs.ID_VALUE
