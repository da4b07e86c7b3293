# SPDX-License-Identifier: Apache-2.0
"""The buffer services of NDIS 6 over the Verilog: retreat, fragments, clones, copies, contexts, out-of-band data.

Each test's `finish` also shows that a halt leaves nothing outstanding (ST-18, ST-19).
"""

import random

import cocotb
from paths_bench import with_protocols
from stack_bench import OWN, PEER, finish, frame

from hilnic import ndis
from hilnic.ndis import NblInfo, NdisStatus
from hilnic.testing.frames import free_nbl


@cocotb.test()
async def a_header_pushed_in_front_by_retreat_is_on_the_wire_and_gone_at_the_completion(dut):
    """MD-04, MD-05, MD-07, MD-10, MD-08, MD-02: three frames of one NBL, in head room, in new MDLs of either kind."""
    host, (sender,) = await with_protocols(dut, "sender")
    kernel, made = host.stack.cpu, []

    def allocate(size):
        made.append(ndis.allocate_mdl(sender.pool, kernel.allocate(size)))
        return made[-1]

    def free(mdl):
        made.remove(mdl)
        region = mdl.region
        ndis.free_mdl(mdl)
        kernel.free(region)

    frames = [frame(n, 100 + n) for n in range(3)]
    for head, handlers in ((14, ()), (3, ()), (0, (allocate, free))):
        nbl = sender.build(*[data[14:] for data in frames], cuts=[20], head=head)
        assert ndis.retreat_net_buffer_list_data_start(nbl, 14, 2, *handlers) is NdisStatus.SUCCESS
        for nb, data in zip(nbl.net_buffers(), frames, strict=True):
            write(nb, data[:14])
        sender.send_nbls([nbl])
        await sender.settle(host)
        ndis.advance_net_buffer_list_data_start(nbl, 14, True, handlers[1] if handlers else None)
        assert [nb.tobytes() for nb in nbl.net_buffers()] == [data[14:] for data in frames]
        assert not made
        sender.forget()
    assert host.sent == frames * 3
    await finish(host)


def write(nb, data):
    """Put bytes at the start of the used data, wherever the MDLs cut it."""
    at = 0
    for mdl, offset, length in nb.used():
        piece = data[at : at + length]
        mdl.view[offset : offset + len(piece)] = piece
        at += len(piece)


@cocotb.test()
async def a_datagram_leaves_in_fragments_and_is_reassembled_from_what_came_in(dut):
    """MD-23, MD-24, MD-25, S6-04: 3 000 bytes in frames of 1 000, a header before each; the far end sends them back."""
    host, (sender,) = await with_protocols(dut, "sender")
    payload = random.Random(23).randbytes(3000)
    datagram = sender.build(payload, cuts=[7, 0, 500])
    fragments = ndis.allocate_fragment_net_buffer_list(datagram, sender.pool, None, 0, 1000, 14, 4)
    datagram.child_ref_count = 3
    for nb in fragments.net_buffers():
        write(nb, frame()[:14])
    assert [ndis.query_net_buffer_physical_count(nb) >= 1 for nb in fragments.net_buffers()] == [True] * 3
    fragments.source_handle = sender.binding
    sender.send_nbls([fragments])
    await sender.settle(host)
    wire = host.sent
    assert [data[14:] for data in wire] == [payload[at : at + 1000] for at in (0, 1000, 2000)]
    whole = ndis.allocate_reassembled_net_buffer_list(fragments, None, 14)
    assert whole.first_net_buffer.tobytes() == payload
    ndis.free_reassembled_net_buffer_list(whole)
    sender.completed.clear()
    ndis.free_fragment_net_buffer_list(fragments, 14)
    datagram.child_ref_count = 0
    free_nbl(datagram)
    host.inject(*wire)
    await host.until(lambda: len(sender.received) == 3)
    assert b"".join(data[14:] for data in sender.received) == payload
    await finish(host)


@cocotb.test()
@cocotb.parametrize(flags=[0, 2])
async def a_clone_is_sent_while_its_original_stays_at_home(dut, flags):
    """MD-22: new MDLs or the original's own, head room and odd cuts; the same frame twice on the wire."""
    host, (sender,) = await with_protocols(dut, "sender")
    original = sender.build(frame(1, 90), frame(2, 200), cuts=[3, 0, 30], head=9)
    clone = ndis.allocate_clone_net_buffer_list(original, sender.pool, None, flags)
    clone.source_handle = sender.binding
    sender.send_nbls([clone])
    await sender.settle(host)
    sender.completed.clear()
    ndis.free_clone_net_buffer_list(clone, flags)
    sender.send_nbls([original])
    await sender.settle(host)
    assert host.sent == [frame(1, 90), frame(2, 200)] * 2
    await finish(host)


@cocotb.test()
async def what_comes_in_is_copied_and_sent_on(dut):
    """MD-15, MD-18, MD-09: received frames, parsed by advance, copied to memory that came with a NET_BUFFER."""
    host, (echo,) = await with_protocols(dut, "echo")
    pool = ndis.allocate_net_buffer_pool(echo.driver, "echo", data_size=1514)
    frames = [frame(n, 60 + 97 * n) for n in range(12)]
    echo.hold = True
    host.inject(*frames)
    await host.until(lambda: len(echo.held) == 12)
    nbls = []
    for received in echo.held:
        source = received.first_net_buffer
        ndis.advance_net_buffer_data_start(source, 14)
        target = ndis.allocate_net_buffer_mdl_and_data(pool)
        assert ndis.retreat_net_buffer_data_start(target, source.data_length + 14) is NdisStatus.SUCCESS
        write(target, PEER + OWN + b"\x88\xb5")
        copied = ndis.copy_from_net_buffer_to_net_buffer(target, 14, 2000, source, 0)
        assert copied == (NdisStatus.SUCCESS, source.data_length)
        ndis.retreat_net_buffer_data_start(source, 14)
        nbl = ndis.allocate_net_buffer_list(echo.pool)
        nbl.first_net_buffer, nbl.source_handle = target, echo.binding
        nbls.append(nbl)
    echo.give_back()
    echo.send_nbls(nbls)
    await echo.settle(host)
    assert host.sent == [PEER + OWN + data[12:] for data in frames]
    for nbl in nbls:
        ndis.free_net_buffer(nbl.first_net_buffer)
        ndis.free_net_buffer_list(nbl)
    echo.completed.clear()
    ndis.free_net_buffer_pool(pool)
    await finish(host)


@cocotb.test()
async def contexts_and_reserved_fields_survive_what_the_miniport_does(dut):
    """MD-19, MD-20, MD-28, MD-16, S6-09, ST-21: a context and the sender's fields come back as they were, in `full`."""
    host, (sender,) = await with_protocols(dut, "sender", verify="full")
    nbls = [sender.build(frame(n, 80), cuts=[20]) for n in range(8)]
    for number, nbl in enumerate(nbls):
        assert ndis.allocate_net_buffer_list_context(nbl, 32, 16) is NdisStatus.SUCCESS
        ndis.net_buffer_list_context_data_start(nbl)[:32] = bytes([number]) * 32
        nbl.protocol_reserved[2] = nbl.first_net_buffer.protocol_reserved[5] = number
    sender.send_nbls(nbls)
    await sender.settle(host)
    for number, nbl in enumerate(nbls):
        assert bytes(ndis.net_buffer_list_context_data_start(nbl)[:32]) == bytes([number]) * 32
        assert nbl.protocol_reserved[2] == nbl.first_net_buffer.protocol_reserved[5] == number
        ndis.free_net_buffer_list_context(nbl, 32)
    assert host.sent == [frame(n, 80) for n in range(8)]
    await finish(host)


@cocotb.test()
async def the_out_of_band_helpers_carry_each_direction_s_slots(dut):
    """IM-10, OF-15: a copy of a received list has its frame type, a copy of a sent one its cancel id."""
    host, (sender,) = await with_protocols(dut, "sender")
    sender.hold = True
    host.inject(frame(1))
    await host.until(lambda: sender.held)
    (received,) = sender.held
    copy = sender.build(frame(2))
    ndis.copy_receive_net_buffer_list_info(copy, received)
    assert copy.net_buffer_list_info[NblInfo.FRAME_TYPE] == 0x88B5
    ndis.set_net_buffer_list_cancel_id(copy, 7)
    another = sender.build(frame(3))
    ndis.copy_send_net_buffer_list_info(another, copy)
    assert ndis.get_net_buffer_list_cancel_id(another) == 7
    sender.give_back()
    sender.send_nbls([copy, another])
    await sender.settle(host)
    assert host.sent == [frame(2), frame(3)]
    await finish(host)
