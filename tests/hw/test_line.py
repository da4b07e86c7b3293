# SPDX-License-Identifier: Apache-2.0
"""Claims about the shared interrupt line."""

import pytest

from hilnic.hw.line import InterruptLine, LinePin


def pins(number):
    line = InterruptLine()
    return line, [LinePin(line, f"card {n}") for n in range(number)]


def claims(pin, asked):
    def isr():
        asked.append(pin.name)
        causes = pin.causes
        if causes:
            pin.acknowledge(causes)
        return bool(causes)

    return isr


def test_every_isr_is_asked_in_turn_until_one_claims():
    line, (one, two, three) = pins(3)
    asked = []
    for pin in (one, two, three):
        pin.connect(claims(pin, asked))
    two.signal(1)
    assert asked == ["card 0", "card 1"]
    assert line.asked == 2


def test_the_line_stays_low_until_all_causes_are_acknowledged():
    line, (one, two) = pins(2)
    asked = []
    for pin in (one, two):
        pin.connect(claims(pin, asked))
    line._looking = True  # the CPU has interrupts masked
    one.signal(0)
    two.signal(3)
    line._looking = False
    line.look()
    assert asked == ["card 0", "card 0", "card 1"]
    assert not any(pin.asserted() for pin in line.pins)


def test_a_card_without_an_isr_does_not_pull_the_line_and_its_cause_waits():
    _, (one,) = pins(1)
    asked = []
    one.signal(2)
    assert not one.asserted()
    one.connect(claims(one, asked))
    assert (asked, one.causes) == (["card 0"], 0)


def test_a_cause_that_nobody_lets_go_of_is_a_storm_and_no_hang():
    _, (one, two) = pins(2)
    one.connect(lambda: False)
    two.connect(lambda: False)
    with pytest.raises(RuntimeError, match=r"storm.*card 1: causes 0x2"):
        two.signal(1)
