# SPDX-License-Identifier: Apache-2.0
"""The WAN miniport of NDIS 5 on the Verilog: PPP frames in PPP over Ethernet.

Each test's `finish` also shows that nothing is left anywhere: no packet, no map register, no mapping, no burst.
"""

import cocotb
from ndis5_bench import FAST
from stack_bench import OWN, PEER, finish, frame, padded
from wan_bench import SECOND, ppp_frame, pppoe, wan

from hilnic.miniport5.wan import HEADER_PADDING
from hilnic.ndis import NdisMedium, NdisStatus
from hilnic.ndis.ndis5 import LineDisconnectMode
from hilnic.wire.pppoe import PppoeCode, PppoeTag


@cocotb.test()
async def ppp_frames_are_framed_for_their_session(dut):
    """S5-13, C5-02, R5-28: out and in, of two sessions, whole and without the padding that Ethernet added."""
    bench = await wan(dut, tx_ring=8)
    host, protocol = bench.host, bench.protocol
    assert host.stack.adapter.attributes.media_type is NdisMedium.WAN
    links = [(await bench.dial(b"one"), 0x0101, PEER), (await bench.dial(b"two"), 0x0202, SECOND)]
    frames = [ppp_frame(n, length) for n, length in enumerate((3, 38, 39, 40, 41, 500, 1492, 1494))]
    number = len(frames) * (4 if FAST else 1)
    wanted = [(links[n % 2], frames[n % len(frames)]) for n in range(number)]
    for (handle, session, peer), ppp in wanted:
        protocol.send(handle, ppp)
        host.inject(padded(pppoe(session, ppp, OWN, peer)))
    await protocol.wait_until_idle()
    await host.until(lambda: len(protocol.received) == number and len(bench.data()) == number)
    assert bench.data() == [padded(pppoe(session, ppp, peer, OWN)) for (_, session, peer), ppp in wanted]
    assert [(line.handle, ppp) for line, ppp in protocol.received] == [(link[0], ppp) for link, ppp in wanted]
    assert set(protocol.statuses) == {NdisStatus.SUCCESS}
    assert protocol.receive_completes > 0
    await finish(host)


@cocotb.test()
async def a_session_is_opened_and_ended_on_the_wire(dut):
    """C5-13, R5-28: PADI to PADS, PADT from either side and by halt; noise of discovery changes nothing; the cable."""
    bench = await wan(dut)
    host, protocol, ac = bench.host, bench.protocol, bench.peers[0]
    first, second = await bench.dial(), await bench.dial()
    asked = [PppoeCode.PADI, PppoeCode.PADR]
    assert [PppoeCode(frame.code) for frame in ac.heard] == asked * 2
    uniq = ac.heard[0].tags[PppoeTag.HOST_UNIQ]
    tags = {PppoeTag.SERVICE_NAME: b"one", PppoeTag.HOST_UNIQ: uniq, PppoeTag.AC_NAME: b"late"}
    for code, session in ((PppoeCode.PADO, 0), (PppoeCode.PADS, 7), (PppoeCode.PADT, 9), (0x42, 0)):
        ac.answer(OWN, code, session, tags)
    host.inject(OWN + PEER + b"\x88\x63\x11\x65\0\0\x05\xdc" + bytes(40))
    await host.until(lambda: host.nic.discovery.ignored == 5)
    assert set(protocol.lines) == {first, second}
    lines = list(protocol.lines.values())
    assert await protocol.hang_up(first) is NdisStatus.SUCCESS
    await host.until(lambda: list(ac.sessions) == [0x0102])
    ac.terminate(0x0102)
    await host.until(lambda: not protocol.lines)
    third = await bench.dial()
    host.card.settings.link_up = 0
    await host.until(lambda: third in protocol.ended, what="the cable's end")
    assert protocol.ended == {
        first: LineDisconnectMode.NORMAL,
        second: LineDisconnectMode.NORMAL,
        third: LineDisconnectMode.UNAVAILABLE,
    }
    assert [line.is_up for line in lines] == [False, False]
    host.card.settings.link_up = 1
    await host.until(lambda: protocol.media[-1:] == [NdisStatus.MEDIA_CONNECT])
    await bench.dial()
    ended = len(ac.heard) + 1
    await finish(host)
    assert len(ac.heard) == ended
    assert PppoeCode(ac.heard[-1].code) is PppoeCode.PADT


@cocotb.test()
async def what_is_no_session_of_ours_is_discarded(dut):
    """R5-28: another code, session, peer; a frame that is cut is a fragment; NOT_ACCEPTED is counted."""
    bench = await wan(dut)
    host, protocol, ppp = bench.host, bench.protocol, ppp_frame(1, 60)
    handle = await bench.dial()
    good = pppoe(0x0101, ppp, OWN, PEER)
    host.inject(
        pppoe(0x0101, ppp, OWN, PEER, code=9),
        pppoe(9, ppp, OWN, PEER),
        pppoe(0x0101, ppp, OWN, SECOND),
        good[:18] + b"\x05\x00" + good[20:],
        frame(1),
        good,
    )
    await host.until(lambda: len(protocol.received) == 1)
    line = protocol.lines[handle]
    assert protocol.received == [(line, ppp)]
    assert (host.nic.rx.statistics().discarded, line.fragments) == (5, 1)
    protocol.accepts = False
    host.inject(good)
    await host.until(lambda: host.nic.rx.not_accepted == 1)
    assert len(protocol.received) == 1
    await finish(host)


@cocotb.test()
async def a_wan_packet_without_room_or_link_is_refused(dut):
    """S5-13: too little header padding, too long a frame, a link that is none."""
    bench = await wan(dut)
    protocol, handle = bench.protocol, await bench.dial()
    protocol.send(handle, ppp_frame(1, 1495))
    protocol.send("no link", ppp_frame(1, 60))
    protocol.header_padding = HEADER_PADDING - 1
    protocol.send(handle, ppp_frame(1, 60))
    assert protocol.statuses == [NdisStatus.INVALID_PACKET, NdisStatus.FAILURE, NdisStatus.INVALID_PACKET]
    protocol.header_padding = HEADER_PADDING
    protocol.send(handle, ppp_frame(2, 60))
    await protocol.wait_until_idle()
    assert protocol.statuses[-1] is NdisStatus.SUCCESS
    assert bench.data() == [pppoe(0x0101, ppp_frame(2, 60), PEER, OWN)]
    await finish(bench.host)
