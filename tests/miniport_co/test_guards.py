# SPDX-License-Identifier: Apache-2.0
"""What either driver keeps from a VC: frames that are not its own, sends it may not do, a queue that stands still."""

import pytest

from hilnic import ndis
from hilnic.miniport_co.adapter import CoNic
from hilnic.ndis import NdisStatus, condis, ndis5
from hilnic.testing import co_host
from hilnic.testing.co_client5 import FunctionalCoClient5
from hilnic.testing.co_host import address, call_parameters
from hilnic.testing.vcs import tagged


def hangs(pair):
    """What MiniportCheckForHang(Ex) says."""
    stack, clock = pair.one.stack, pair.clock
    if isinstance(stack.adapter.context, CoNic):
        return clock.run(stack.co_nic.check_for_hang())
    return stack.nic5.check_for_hang()


@pytest.mark.rule("ST-16")
@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_a_vc_that_waits_for_its_tokens_does_not_hang_one_without_progress_does(make_pair, miniport):
    pair = make_pair(miniport=miniport)
    (slow, _), (stuck, _) = pair.calls(100, rate=125_000, burst=1600, max_sdu=1400), pair.calls(200)
    slow.send(*[bytes(1400)] * 6)  # each waits 11 ms for the next
    stack, nic = pair.one.stack, pair.nics[0]
    for _ in range(30):
        pair.sleep(1_000_000)
        assert not hangs(pair)
    first, second = stack.connections.active()
    doorbell, write = second.tx.page.doorbell, nic.write32
    nic.write32 = lambda address, value: None if address == doorbell else write(address, value)
    stuck.send(b"lost its doorbell")
    assert not hangs(pair)
    pair.sleep(1_000_000)
    assert hangs(pair)
    nic.write32 = write
    assert pair.run(ndis.reset_adapter(stack.adapter)) is NdisStatus.SUCCESS
    assert stuck.completed[-1][1] in {NdisStatus.RESET_IN_PROGRESS, NdisStatus.REQUEST_ABORTED}
    pair.sleep(1_000_000)
    assert not hangs(pair)
    assert first.tx is not None


@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_a_vc_that_may_not_send_sends_nothing_not_even_without_a_tag(make_pair, miniport, monkeypatch):
    pair = make_pair(miniport=miniport)

    def receives_only(*args, **parameters):
        asked = call_parameters(*args, **parameters)
        asked.media.flags &= ~condis.MediaFlags.TRANSMIT_VC
        return asked

    theirs = pair.run(pair.other.call(100))
    monkeypatch.setattr(co_host, "call_parameters", receives_only)
    ours = pair.run(pair.one.take(100))
    theirs.send(b"the other way")
    before = len(pair.wire)
    ours.send(b"not this way")
    pair.until(lambda: ours.completed and ours.received == [b"the other way"])
    assert ours.completed[-1][1] in {NdisStatus.INVALID_LENGTH, NdisStatus.INVALID_PACKET}
    assert len(pair.wire) == before + 1


@pytest.mark.rule("CD-08")
@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_frames_of_its_vlan_id_for_others_are_not_shown_and_no_errors(make_pair, miniport):
    pair = make_pair(miniport=miniport)
    ours, theirs = pair.calls(100)
    for group in (b"\x03\x48\x4e\x00\x00\x07", b"\x02\x48\x4e\x00\x00\x07"):
        pair.nics[1].wire.send(tagged(group + address(2) + (4).to_bytes(2, "big") + b"what" + bytes(42), 100))
    ours.send(b"ours")
    pair.until(lambda: theirs.received)
    assert theirs.received == [b"ours"]
    (connection,) = pair.other.stack.connections.by_entry.values()
    statistics = connection.rx.statistics()
    assert (statistics.errors, statistics.discarded, statistics.indicated) == (0, 2, 1)


@pytest.mark.rule("OB-02")
@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_a_packet_of_a_vc_has_no_header(make_pair, miniport, monkeypatch):
    seen = []
    receive = FunctionalCoClient5.co_receive_packet

    def look(client, call, packet):
        seen.append((ndis5.get_packet_header_size(packet), packet.tobytes()))
        return receive(client, call, packet)

    monkeypatch.setattr(FunctionalCoClient5, "co_receive_packet", look)
    pair = make_pair(verify="full", client="5", miniport=miniport)
    ours, _ = pair.calls()
    ours.send(b"all of it")
    pair.until(lambda: seen)
    assert seen == [(0, b"all of it")]


@pytest.mark.rule("CC-09")
@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_an_active_vc_keeps_its_vlan_id_and_directions_also_while_paused(make_pair, miniport, is_paused):
    pair = make_pair(miniport=miniport)
    ours, theirs = pair.calls(100)
    adapter, (connection,) = pair.one.stack.adapter, pair.one.stack.connections.by_entry.values()
    receives_only = call_parameters(100)
    receives_only.media.flags &= ~condis.MediaFlags.TRANSMIT_VC
    if is_paused:
        pair.run(ndis.pause_adapter(adapter))
    answers = []
    for parameters in (call_parameters(101), receives_only):
        answer = pair.one.stack.connections.activate(connection, parameters, answers.append)
        assert answer is NdisStatus.PENDING
        pair.sleep(1_000_000)
    if is_paused:
        assert pair.run(ndis.restart_adapter(adapter)) is NdisStatus.SUCCESS
    assert answers == [NdisStatus.INVALID_DATA] * 2
    ours.send(b"as before")
    pair.until(lambda: theirs.received == [b"as before"])
