# SPDX-License-Identifier: Apache-2.0
"""The cable is pulled in the middle of calls, and plugged again: two Verilog NICs, both kinds of call manager.

The call ends at both ends as docs/signalling.md says, by the timer that runs there; every send ends once; nothing that
the call had is kept; and what was under way does not come out of the next call.
"""

import os
from dataclasses import dataclass, replace
from itertools import product

import cocotb
from condis_call_bench import CARDS, Patience, call_hosts, connected, finish, plug, pull

from hilnic.ndis import MediaConnectState, NdisStatus
from hilnic.protocols.co_client import CallFailed, CoClient, ConnectionState, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.protocols.raw import RawProtocol
from hilnic.signalling import MessageType

LONG = os.environ.get("HILNIC_SOAK") == "1"
SHORT = Patience(repeat_ns=60_000, quiet_ns=100_000, times=2)
SLOW = Qos(rate=40_000_000, burst=2 * 1522, max_sdu=1500)
EACH = Qos(rate=20_000_000, burst=1100, max_sdu=1000)
SUCCESS, UNREACHABLE, RECOVERY = NdisStatus.SUCCESS, NdisStatus.DEST_OUT_OF_ORDER, NdisStatus.FAILURE
OPEN, CLOSED = ConnectionState.OPEN, ConnectionState.CLOSED
KINDS = [(("5-co", "6-co"), CoClient), (("5-mcm", "6-mcm"), CoClient5)]
OTHER_KINDS = [(("6-co", "5-co"), CoClient5), (("6-mcm", "5-mcm"), CoClient)]
AGES = list(product(KINDS + OTHER_KINDS, range(0, 130, 13))) if LONG else list(zip(OTHER_KINDS, [35, 80], strict=True))
"""Who, and how many us after everything has begun."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The last message that gets through, of whom, and how the call ends at the caller and at the called side."""

    message: MessageType
    of_caller: bool
    caller: NdisStatus
    called: NdisStatus | None
    """None: it has not heard of the call."""


M = MessageType
SET_UP = [
    Moment(M.RESTART, True, UNREACHABLE, None),  # T316
    Moment(M.RESTART_ACKNOWLEDGE, False, UNREACHABLE, None),  # T303
    Moment(M.SETUP, True, UNREACHABLE, RECOVERY),  # T303; T313
    Moment(M.CALL_PROCEEDING, False, UNREACHABLE, RECOVERY),  # T309 and T322; T313
]
IN_USE = [
    Moment(M.CONNECT, False, UNREACHABLE, RECOVERY),  # T309 and T322; T313
    Moment(M.CONNECT_ACKNOWLEDGE, True, UNREACHABLE, UNREACHABLE),  # T309 and T322 at both
    Moment(M.MODIFY_REQUEST, True, RECOVERY, UNREACHABLE),  # T360
    Moment(M.RELEASE, True, SUCCESS, SUCCESS),  # T308, of which the client hears nothing
]


def cut_after(one, other, moment):
    """Pull the cable as soon as this message is through."""

    def heard(message):
        if message is moment.message:
            pull(one, other)
            one.on_message = other.on_message = None

    (one if moment.of_caller else other).on_message = heard


async def ended(one, other, connections, before):
    """Both ends are closed, their sends are back, and everything that the calls had is free."""
    for end in connections:
        await one.until(lambda end=end: end.state is CLOSED, f"the end of {end}")
        assert end.completed == end.sent
    for host, had in zip((one, other), before, strict=True):
        await one.until(lambda host=host, had=had: host.holdings() == had, f"{host.holdings()} to become {had}")


@cocotb.test()
@cocotb.parametrize(hosts=KINDS + OTHER_KINDS * LONG)
async def whatever_message_was_the_last_the_call_ends_at_both_ends_and_the_next_one_works(dut, hosts):
    """CC-21, CC-26, CD-08, CD-12: set-up, data, change, release, each cut behind a message; always the same VLAN id."""
    miniports, client = hosts
    connections = replace(CARDS, signalling=SHORT.settings)
    one, other = await call_hosts(dut, *miniports, client=client, connections=connections, patience=SHORT)
    for host in (one, other):
        host.leave_ids(16)
    before = one.holdings(), other.holdings()
    for number, moment in enumerate(SET_UP + IN_USE, 1):
        cut_after(one, other, moment)
        one.accepted.clear()
        other.accepted.clear()
        if moment in SET_UP:
            status, ends = await refusal(one, other), []
        else:
            status, ends = await life(one, other, moment, bytes([number]))
        assert status is moment.caller, f"{moment}: the caller heard {status.name}"
        await ended(one, other, [*ends, *other.accepted], before)
        found = [end.close_status for end in other.accepted]
        assert found == ([] if moment.called is None else [moment.called]), f"{moment}: {found}"
        plug(one, other)
    await one.clock.sleep(10_000)
    ours, theirs = await connected(one, other, SLOW, SLOW)
    ours.send(b"as ever")
    theirs.send(b"and back")
    await one.until(lambda: ours.received and theirs.received, "data of the last call")
    assert (list(theirs.received), list(ours.received)) == ([b"as ever"], [b"and back"])
    await finish(one, other)


async def refusal(one, other):
    """How a call fails."""
    try:
        await one.call(other, SLOW, SLOW)
    except CallFailed as failed:
        return failed.status
    raise AssertionError("a call went through without a cable")


async def life(one, other, moment, mark):
    """Data both ways, until the cable is pulled; how it ended at the caller, which has these ends."""
    ours = await one.call(other, SLOW, SLOW)
    ours.send(*[mark * 1400] * 6)
    if moment.message in {M.MODIFY_REQUEST, M.RELEASE}:
        theirs = other.accepted[-1]
        await one.until(lambda: theirs.state is OPEN and theirs.received, "the first SDU")
        theirs.send(*[mark * 1400] * 6)
    if moment.message is M.MODIFY_REQUEST:
        try:
            await ours.change(replace(SLOW, rate=45_000_000), SLOW)
        except CallFailed as failed:
            assert failed.status is NdisStatus.REQUEST_ABORTED
        else:
            raise AssertionError("a change went through without a cable")
    if moment.message is M.RELEASE:
        await ours.close()
    await one.until(lambda: ours.state is CLOSED, "the end of the call")
    for end in (ours, *other.accepted):
        assert set(end.received) <= {mark * 1400}, f"an SDU of another call after {moment}"
    return ours.close_status or SUCCESS, [ours]


@cocotb.test()
@cocotb.parametrize(case=AGES)
async def calls_of_every_age_end_when_the_cable_is_pulled(dut, case):
    """CC-21, CD-12: in use, being changed, released, made, all at once; connectionless frames beside them."""
    (miniports, client), after_us = case
    raws = [RawProtocol(), RawProtocol()]
    connections = replace(CARDS, signalling=SHORT.settings)
    one, other = await call_hosts(
        dut, *miniports, client=client, connections=connections, patience=SHORT, others=lambda n: [raws[n]]
    )
    before = one.holdings(), other.holdings()
    ends = [await connected(one, other, EACH, EACH) for _ in range(3)]
    marks = {end: bytes([number]) * 1000 for number, pair in enumerate(ends, 1) for end in pair}
    for end, mark in marks.items():
        end.send(*[mark] * 4)
    raw, head = raws[0].bindings["nic0"], other.address + one.address + b"\x88\xb5"
    raw.send(*[head + bytes(300)] * 4)
    (used, _), (changed, _), (released, _) = ends
    outcomes = {}
    for name, work in {
        "change": changed.change(replace(EACH, rate=25_000_000), EACH),
        "release": released.close(b"bye"),
        "make": one.call(other, EACH, EACH),
    }.items():
        cocotb.start_soon(_note(outcomes, name, work))
    await one.clock.sleep(1_000 * after_us)
    pull(one, other)
    await one.until(lambda: len(outcomes) == 3, f"the end of everything that was under way: {outcomes}")
    await ended(one, other, [end for pair in ends for end in pair] + other.accepted, before)
    assert outcomes["release"] is SUCCESS
    assert outcomes["change"] in {SUCCESS, NdisStatus.REQUEST_ABORTED}
    assert outcomes["make"] in {SUCCESS, UNREACHABLE, RECOVERY}
    assert used.close_status in {UNREACHABLE, RECOVERY}
    for end, mark in marks.items():
        assert set(end.received) <= {mark}
    await one.until(lambda: not raw.outstanding, "the connectionless sends")
    await one.until(
        lambda: raw.status_indications, "the link's state, of which a 5.x driver tells within a millisecond"
    )
    states = [told.buffer.media_connect_state for told in raw.status_indications]
    assert states == [MediaConnectState.DISCONNECTED]
    plug(one, other)
    await one.clock.sleep(20_000)
    ours, theirs = await connected(one, other, EACH, EACH)
    ours.send(b"as ever")
    raw.send(head + bytes([1]) * 300)
    heard = raws[1].bindings["nic1"].received
    await one.until(lambda: theirs.received and head + bytes([1]) * 300 in heard, "data with the cable back")
    assert list(theirs.received) == [b"as ever"]
    await finish(one, other)


async def _note(outcomes, name, work):
    """Wait for the end of an operation."""
    try:
        await work
        outcomes[name] = SUCCESS
    except CallFailed as failed:
        outcomes[name] = failed.status
