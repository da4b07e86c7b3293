# SPDX-License-Identifier: Apache-2.0
"""eth_mac_1g against cocotbext-eth's GMII ends: what 802.3 clauses 3, 4, 35 and docs/nic.md section 7 promise."""

import cocotb
from cocotb.triggers import ClockCycles
from mac_bench import PREAMBLE, MacBench, fcs, padded

SIZES = (*range(1, 20), 45, 46, 47, 58, 59, 60, 61, 62, 63, 64, 65, 127, 128, 255, 512, 1023, 1513, 1514, 1518)


def frames(bench, sizes):
    return [bench.random.randbytes(size) for size in sizes]


def type_frame(bench, ethertype: int, size: int) -> bytes:
    """An untagged frame of `size` octets without FCS."""
    return bench.random.randbytes(12) + ethertype.to_bytes(2, "big") + bench.random.randbytes(size - 14)


def carrier(data: bytes) -> bytes:
    return PREAMBLE + data + fcs(data)


# Transmit -----------------------------------------------------------------------------------------------------------


@cocotb.test()
async def frames_of_every_size_leave_padded_and_with_their_fcs(dut):
    bench = await MacBench.start(dut)
    sent = frames(bench, SIZES)
    for line, frame in zip(await bench.transmit(*sent), sent, strict=True):
        assert line.data == carrier(padded(frame)) and not any(line.error)
    assert bench.verdicts == [(False, len(padded(frame)) + 4) for frame in sent]


@cocotb.test()
async def an_independent_sink_accepts_what_is_sent(dut):
    bench = await MacBench.start(dut)
    sent = frames(bench, (14, 60, 333, 1514))
    await bench.transmit(*sent)
    for frame in sent:
        received = await bench.sink.recv()
        assert received.check_fcs() and received.error is None and received.get_payload() == padded(frame)


@cocotb.test()
async def a_jumbo_frame_leaves_whole(dut):
    bench = await MacBench.start(dut)
    (frame,) = frames(bench, [9018])
    (line,) = await bench.transmit(frame)
    assert line.data == carrier(frame) and bench.verdicts == [(False, 9022)]


@cocotb.test()
async def frames_back_to_back_keep_exactly_the_programmed_gap(dut):
    for ifg, expected in ((12, 12), (8, 8), (40, 40), (3, 8)):
        bench = await MacBench.start(dut, ifg=ifg)
        lines = await bench.transmit(*frames(bench, (60, 61, 20, 100)))
        assert [line.gap for line in lines[1:]] == [expected] * 3


@cocotb.test()
async def the_preamble_starts_at_most_two_cycles_after_the_first_beat(dut):
    bench = await MacBench.start(dut)
    for size in (1, 60, 100):
        (line,) = await bench.transmit(bytes(size))
        assert 0 < line.start - bench.accepted_at[-1] <= 2
        await ClockCycles(dut.tx_clk_i, bench.random.randrange(40))


@cocotb.test()
async def an_abort_ends_the_frame_under_tx_er_with_a_wrong_fcs(dut):
    bench = await MacBench.start(dut)
    for size, at in ((100, 99), (100, 50), (100, 0), (1, 0), (20, 19), (65, 64)):
        frame = bench.random.randbytes(size)
        (line,) = await bench.transmit(frame, abort_at=at)
        assert line.octets[:at] == frame[:at] and len(line.octets) == at + 5
        assert not any(line.error[: 8 + at]) and all(line.error[8 + at :])
        assert line.octets[-4:] != fcs(line.octets[:-4])
        assert bench.verdicts[-1] == (True, at + 5)


@cocotb.test()
async def an_underrun_ends_the_frame_under_tx_er_and_swallows_the_rest(dut):
    bench = await MacBench.start(dut)
    broken, good = frames(bench, (200, 70))
    bench.stream.set_pause_generator(iter([False] * 64 + [True] * 3 + [False] * 1000))
    lines = await bench.transmit(broken, good)
    assert any(lines[0].error) and lines[0].octets[-4:] != fcs(lines[0].octets[:-4]) and len(lines[0].octets) < 100
    assert lines[1].data == carrier(good) and lines[1].gap >= 12
    assert [aborted for aborted, _ in bench.verdicts] == [True, False]


@cocotb.test()
async def a_host_supplied_fcs_goes_out_as_it_is(dut):
    bench = await MacBench.start(dut, host_fcs=1)
    sent = frames(bench, (64, 20, 1518))
    lines = await bench.transmit(*sent)
    assert [line.octets for line in lines] == sent
    assert bench.verdicts == [(False, len(frame)) for frame in sent]


# Receive ------------------------------------------------------------------------------------------------------------


@cocotb.test()
async def frames_of_every_legal_size_arrive_without_fcs(dut):
    bench = await MacBench.start(dut)
    sent = [type_frame(bench, 0x0800, size) for size in (60, 61, 62, 63, 64, 65, 127, 128, 511, 1513, 1514)]
    for seen, frame in zip(await bench.receive(*map(carrier, sent)), sent, strict=True):
        assert seen.data == frame and not seen.bad and not seen.flags and seen.octets == len(frame) + 4


@cocotb.test()
async def the_first_beat_comes_at_most_seven_cycles_after_the_first_octet(dut):
    for keep in (0, 1):
        bench = await MacBench.start(dut, keep_fcs=keep)
        for size in (60, 100):
            seen = await bench.receive_frame(type_frame(bench, 0x0800, size))
            assert 0 < seen.beats_at - bench.octet_at[-1] <= 7


@cocotb.test()
async def the_fcs_is_passed_on_when_asked(dut):
    bench = await MacBench.start(dut, keep_fcs=1)
    sent = [type_frame(bench, 0x0800, size) for size in (60, 300)]
    for seen, frame in zip(await bench.receive(*map(carrier, sent), ifg=8), sent, strict=True):
        assert seen.data == frame + fcs(frame) and not seen.bad


@cocotb.test()
async def each_single_bit_error_is_found(dut):
    bench = await MacBench.start(dut)
    good = carrier(type_frame(bench, 0x0800, 60))
    for _ in range(24):
        spoilt = bytearray(good)
        spoilt[bench.random.randrange(8, len(good))] ^= 1 << bench.random.randrange(8)
        (seen,) = await bench.receive(spoilt)
        assert seen.bad and seen.flags - {"length_mismatch"} >= {"fcs_bad"} and len(seen.data) == 60


@cocotb.test()
async def rx_er_makes_a_frame_bad_wherever_it_comes(dut):
    bench = await MacBench.start(dut)
    good = carrier(type_frame(bench, 0x0800, 60))
    for at in (0, 3, 7, 8, 40, len(good) - 1):
        (seen,) = await bench.receive(good, errors=[int(i == at) for i in range(len(good))])
        assert seen.bad and seen.flags == {"er"}
    (seen,) = await bench.receive(good)
    assert not seen.bad and not seen.flags


@cocotb.test()
async def short_frames_are_runts_with_good_or_bad_fcs(dut):
    bench = await MacBench.start(dut)
    for size in (1, 2, 14, 40, 59):
        frame = bench.random.randbytes(size)
        (seen,) = await bench.receive(carrier(frame))
        assert seen.bad and "runt" in seen.flags and "fcs_bad" not in seen.flags
        assert seen.data == frame and seen.octets == size + 4
        (seen,) = await bench.receive(PREAMBLE + frame + b"\0\0\0\0")
        assert seen.bad and seen.flags >= {"runt", "fcs_bad"}


@cocotb.test()
async def frames_of_up_to_four_octets_have_a_status_but_no_beat(dut):
    bench = await MacBench.start(dut)
    for size in (1, 2, 3, 4):
        (seen,) = await bench.receive(PREAMBLE + b"\x11" * size)
        assert seen.data == b"" and seen.octets == size and seen.flags >= {"runt", "fcs_bad"}


@cocotb.test()
async def a_frame_above_the_maximum_is_cut_and_counted(dut):
    bench = await MacBench.start(dut, max_frame=100)
    for size, over in ((96, False), (97, True), (98, True), (500, True)):
        frame = type_frame(bench, 0x0800, size)
        (seen,) = await bench.receive(carrier(frame))
        assert seen.bad == over and seen.flags == ({"oversize"} if over else set())
        assert seen.data == frame[:96] and seen.octets == size + 4
    frame = type_frame(bench, 0x0800, 96)
    (seen,) = await bench.receive(carrier(frame))
    assert seen.data == frame and not seen.bad


@cocotb.test()
async def a_tag_allows_four_octets_more(dut):
    bench = await MacBench.start(dut, max_frame=1518)
    for ethertype in (0x8100, 0x88A8):
        for size, over in ((1518, False), (1519, True)):
            (seen,) = await bench.receive(carrier(type_frame(bench, ethertype, size)))
            assert "tagged" in seen.flags and ("oversize" in seen.flags) == over
    (seen,) = await bench.receive(carrier(type_frame(bench, 0x8101, 1518)))
    assert seen.flags == {"oversize"}


@cocotb.test()
async def jumbo_frames_arrive_when_allowed(dut):
    bench = await MacBench.start(dut, max_frame=9018)
    frame = type_frame(bench, 0x0800, 9014)
    tagged = type_frame(bench, 0x8100, 9018)
    seen = await bench.receive(carrier(frame), carrier(tagged))
    assert [s.data for s in seen] == [frame, tagged] and not any(s.bad for s in seen)


@cocotb.test()
async def any_preamble_from_none_to_fifteen_octets_is_accepted(dut):
    bench = await MacBench.start(dut)
    for octets in range(16):
        frame = type_frame(bench, 0x0800, 60)
        (seen,) = await bench.receive(b"\x55" * octets + b"\xd5" + frame + fcs(frame))
        assert seen.data == frame and not seen.bad


@cocotb.test()
async def gaps_down_to_one_cycle_lose_nothing(dut):
    bench = await MacBench.start(dut)
    for ifg in (8, 4, 1):
        sent = [type_frame(bench, 0x0800, size) for size in (60, 61, 62, 63, 64)]
        seen = await bench.receive(*map(carrier, sent), ifg=ifg)
        assert [s.data for s in seen] == sent and not any(s.bad for s in seen)


@cocotb.test()
async def a_carrier_without_sfd_or_without_octets_is_reported_as_such(dut):
    bench = await MacBench.start(dut)
    for octets in (b"\x55" * 20, b"\x55", bytes(64), PREAMBLE):
        (seen,) = await bench.receive(octets)
        assert seen.flags == {"missing_sfd"} and seen.data == b"" and seen.octets == 0
    assert not (await bench.receive_frame(type_frame(bench, 0x0800, 60))).bad


@cocotb.test()
async def a_false_carrier_is_reported_once_per_event(dut):
    bench = await MacBench.start(dut)
    await bench.drive((0x0E, 0, 1), (0x0E, 0, 1), (0x0E, 0, 1), (0, 0, 0), (0x0E, 0, 1))
    assert [s.flags for s in bench.seen] == [{"false_carrier"}] * 2
    await bench.drive((0x0F, 0, 1), (0x1F, 0, 1), (0x01, 0, 1))  # carrier extension and LPI are none
    assert len(bench.seen) == 2
    assert not (await bench.receive_frame(type_frame(bench, 0x0800, 60))).bad


@cocotb.test()
async def a_carrier_lost_in_mid_frame_is_a_fragment(dut):
    bench = await MacBench.start(dut)
    good = carrier(type_frame(bench, 0x0800, 200))
    (seen,) = await bench.receive(good[:120])
    assert seen.bad and seen.flags == {"fcs_bad"} and seen.octets == 112
    (seen,) = await bench.receive(good[:30])
    assert seen.bad and seen.flags == {"runt", "fcs_bad"}


@cocotb.test()
async def the_length_field_is_compared_with_what_came(dut):
    bench = await MacBench.start(dut)
    cases = (  # length or type, octets of data, flags
        (46, 46, set()), (10, 46, set()), (0, 46, set()), (100, 100, set()), (1500, 1500, set()), (1536, 46, set()),
        (47, 46, {"length_mismatch"}), (45, 47, {"length_mismatch"}), (100, 101, {"length_mismatch"}),
        (1501, 200, {"length_range"}), (1535, 200, {"length_range"}),
    )  # fmt: skip
    for length, octets, flags in cases:
        (seen,) = await bench.receive(carrier(type_frame(bench, length, 14 + octets)))
        assert seen.flags == flags and not seen.bad, (length, octets)


@cocotb.test()
async def the_length_field_of_a_tagged_frame_is_the_inner_one(dut):
    bench = await MacBench.start(dut)
    for length, octets, flags in ((42, 42, set()), (3, 42, set()), (50, 50, set()), (51, 50, {"length_mismatch"})):
        frame = type_frame(bench, 0x8100, 16) + length.to_bytes(2, "big") + bytes(octets)
        (seen,) = await bench.receive(carrier(frame))
        assert seen.flags == flags | {"tagged"}


@cocotb.test()
async def a_frame_under_way_at_reset_is_ignored(dut):
    bench = await MacBench.start(dut)
    frame = carrier(type_frame(bench, 0x0800, 100))
    dut.rx_rst_ni.value = 0
    for at, octet in enumerate(frame):
        dut.rx_rst_ni.value = int(at > 50)
        dut.gmii_rxd_i.value, dut.gmii_rx_dv_i.value = octet, 1
        await ClockCycles(dut.rx_clk_i, 1)
    await bench.drive()
    assert not bench.seen
    assert not (await bench.receive_frame(type_frame(bench, 0x0800, 60))).bad


# Both ---------------------------------------------------------------------------------------------------------------


@cocotb.test()
async def both_directions_run_at_once(dut):
    bench = await MacBench.start(dut)
    sent = frames(bench, (60, 200, 61, 300))
    receiving = cocotb.start_soon(bench.receive(*(carrier(padded(frame)) for frame in sent)))
    lines = await bench.transmit(*sent)
    assert [line.octets[:-4] for line in lines] == sent
    assert [s.data for s in await receiving] == sent
