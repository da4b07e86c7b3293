# SPDX-License-Identifier: Apache-2.0
"""Each mutant of the driver breaks one promise about connections, and a few SDUs between two hosts show it."""

import pytest

from hilnic.hw.device import DeviceFault
from hilnic.miniport_co import contract, rx, tx
from hilnic.miniport_co.board import CompletionBoard
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.entry import VcEntry
from hilnic.miniport_co.queues import ConnectionQueues
from hilnic.ndis import NdisStatus, NdisViolation


def constant(value):
    return lambda *_arguments, **_named: value


async def nothing(*_arguments):
    return 0


async def applied(*_arguments):
    return True


def first_alone(self):
    return _ready(self)[:1] if 0 in _ready(self) else []


_ready = CompletionBoard.ready

MUTANTS = {
    "no header": (tx, "HEADER_BYTES", 12),
    "padding shown": (rx, "sdu_bytes", lambda kind, length: length - 14),
    "completions not looked for": (CompletionBoard, "ready", constant([])),
    "only one ring looked for": (CompletionBoard, "ready", first_alone),
    "never re-armed": (ConnectionQueues, "rearm", constant(None)),
    "the page never written": (VcEntry, "apply", nothing),
    "not deactivated": (VcEntry, "deactivate", applied),
    "queues not stopped": (Connection, "silence", applied),
    "sends not completed": (tx.VcTransmitter, "reap", constant(0)),
    "no rate": (contract, "_interval", constant(0)),
}


def exercise(make_pair):
    """Two calls of one entry after the other, data both ways, a refusal, a burst that the contract spreads."""
    pair = make_pair(verify="full")
    for life in range(2):
        ours, theirs = pair.calls(100 + life, rate=12_500_000, burst=2000, max_sdu=600)
        for number in range(4):
            ours.send(*[bytes([number]) * (20 + 100 * n) for n in range(5)])
            theirs.send(bytes([life]) * 33)
            pair.sleep(80_000)
        ours.send(bytes(601))
        pair.until(lambda ours=ours, theirs=theirs: len(theirs.received) == 20 and len(ours.received) == 4)
        assert theirs.received == [bytes([number]) * (20 + 100 * n) for number in range(4) for n in range(5)]
        assert ours.received == [bytes([life]) * 33] * 4
        pair.until(lambda ours=ours: not ours.in_flight)
        assert [status for _, status in ours.completed].count(NdisStatus.INVALID_LENGTH) == 1
        ours.send(*[bytes(600)] * 10)
        pair.until(lambda theirs=theirs: len(theirs.received) == 30)
        times = [frame.time_ns for frame in pair.wire if frame.origin == "nic0"][-10:]
        assert times[-1] - times[0] >= (9 * 622 - 2000) * 80
        pair.run(pair.one.hang_up(ours))
        pair.run(pair.other.hang_up(theirs))
    pair.stop()


def test_the_exercise_passes_without_a_mutant(pair_type):
    exercise(pair_type)


@pytest.mark.parametrize("what", MUTANTS)
def test_the_exercise_catches(what, pair_type, monkeypatch):
    owner, name, replacement = MUTANTS[what]
    monkeypatch.setattr(owner, name, replacement)
    with pytest.raises((AssertionError, NdisViolation, DeviceFault, ValueError, IndexError)):
        exercise(pair_type)
