# SPDX-License-Identifier: Apache-2.0
"""Every OID of the catalogue's general, statistics, 802.3 and power rows over the Verilog: registers, counters, wire.

Each answer is compared with what the NIC's registers and counters say and with what was seen on the wire.
"""

import os
import random
import struct

import cocotb
from paths_bench import with_protocols
from stack_bench import BROADCAST, OWN, PEER, Traffic, finish, frame, one

from hilnic import ndis
from hilnic.hw import regs
from hilnic.miniport.filter import hash_index
from hilnic.miniport.oids import SUPPORTED_OIDS
from hilnic.ndis import DevicePowerState, NdisStatus, NetEvent, Oid, PacketFilter
from hilnic.ndis.oid_answers import QUERIES
from hilnic.wire.link import WireFrame

FAST = os.environ.get("HILNIC_SIM") == "verilator"
GROUP, OTHER = b"\x01\0\x5e\0\0\1", b"\x01\0\x5e\0\0\2"
ADD, DELETE = Oid.OID_802_3_ADD_MULTICAST_ADDRESS, Oid.OID_802_3_DELETE_MULTICAST_ADDRESS
SET_ONLY = {Oid.OID_GEN_PROTOCOL_OPTIONS, Oid.OID_GEN_LINK_PARAMETERS, Oid.OID_PNP_SET_POWER, ADD, DELETE}
NOT_BUILT = (
    (Oid.OID_GEN_VLAN_ID, regs.FEATURES_VLAN),
    (Oid.OID_GEN_RECEIVE_SCALE_CAPABILITIES, regs.FEATURES_RSS),
    (Oid.OID_GEN_RECEIVE_SCALE_PARAMETERS, regs.FEATURES_RSS),
    (Oid.OID_GEN_RECEIVE_HASH, regs.FEATURES_RSS),
)


async def number(host, oid, size=4):
    """A query's answer as a number."""
    return int.from_bytes(await host.binding.query(oid, size), "little")


async def set_oid(host, oid, data):
    """The status of a set."""
    return await host.binding.request(ndis.set_information(oid, data))


@cocotb.test()
async def the_general_oids_say_what_the_registers_and_the_wire_say(dut):
    """OI-09, OI-14, OI-15, OI-04: sizes, addresses, buffer spaces, versions; the longest frame goes, no longer one."""
    host = await one(dut, tx_ring=64, rx_ring=32, rx_buffers=48, rx_buffer_bytes=1024)
    read = host.nic.hardware.read
    total = await number(host, Oid.OID_GEN_MAXIMUM_TOTAL_SIZE)
    assert total == await number(host, Oid.OID_GEN_MAXIMUM_FRAME_SIZE) + 14 == await read(regs.MAX_FRAME) - 4 == 1514
    host.send(frame(1, total), frame(2, total + 1))
    await host.idle()
    assert host.sent == [frame(1, total)] and host.binding.statuses == [NdisStatus.INVALID_LENGTH]
    address = (await read(regs.MAC_ADDR_LO)).to_bytes(4, "little") + (await read(regs.MAC_ADDR_HI)).to_bytes(
        2, "little"
    )
    for oid in (Oid.OID_802_3_CURRENT_ADDRESS, Oid.OID_802_3_PERMANENT_ADDRESS):
        assert await host.binding.query(oid, 6) == address == OWN
    tx, rx = regs.tx_page(0), regs.rx_page(0)
    slots, buffer = await read(tx + regs.QUEUE_RING_SIZE), await read(rx + regs.QUEUE_BUF_SIZE)
    assert await number(host, Oid.OID_GEN_MAXIMUM_SEND_PACKETS) == slots == 64
    assert await number(host, Oid.OID_GEN_TRANSMIT_BLOCK_SIZE) == total
    assert await number(host, Oid.OID_GEN_TRANSMIT_BUFFER_SPACE) == slots * total
    assert await number(host, Oid.OID_GEN_RECEIVE_BLOCK_SIZE) == buffer == 1024
    assert await number(host, Oid.OID_GEN_RECEIVE_BUFFER_SPACE) == 48 * buffer
    assert await number(host, Oid.OID_GEN_MAXIMUM_LOOKAHEAD) == 1500
    assert await set_oid(host, Oid.OID_GEN_CURRENT_LOOKAHEAD, struct.pack("<I", 128)) == NdisStatus.SUCCESS
    assert await set_oid(host, Oid.OID_GEN_CURRENT_LOOKAHEAD, struct.pack("<I", 1501)) == NdisStatus.INVALID_LENGTH
    assert await number(host, Oid.OID_GEN_CURRENT_LOOKAHEAD) == 128
    for oid in (Oid.OID_GEN_MEDIA_SUPPORTED, Oid.OID_GEN_MEDIA_IN_USE, Oid.OID_GEN_HARDWARE_STATUS):
        assert await number(host, oid) == 0
    assert await number(host, Oid.OID_GEN_PHYSICAL_MEDIUM) == 14
    assert await number(host, Oid.OID_GEN_DRIVER_VERSION, 2) == ndis.NdisVersion.NDIS_6_30
    assert await number(host, Oid.OID_GEN_VENDOR_DRIVER_VERSION) == 0x10000
    assert (await host.binding.query(Oid.OID_GEN_VENDOR_DESCRIPTION)).startswith(b"hilnic")
    assert await number(host, Oid.OID_GEN_VENDOR_ID) == 0xFFFFFF
    assert await set_oid(host, Oid.OID_GEN_PROTOCOL_OPTIONS, bytes(4)) == NdisStatus.SUCCESS
    await finish(host)


@cocotb.test()
async def the_supported_list_is_true_and_the_rest_is_not_supported(dut):
    """OI-07, OI-05, OI-04: each listed query answers and leaves the bytes behind its answer; random OIDs do not."""
    host, draw = await one(dut), random.Random(7)
    data = await host.binding.query(Oid.OID_GEN_SUPPORTED_LIST, 4096)
    listed = set(struct.unpack(f"<{len(data) // 4}I", data))
    assert listed >= {*SUPPORTED_OIDS, *QUERIES, ADD, DELETE, Oid.OID_GEN_XMIT_OK, Oid.OID_GEN_BYTES_RCV}
    for oid in sorted(listed - SET_ONLY):
        request = ndis.query(oid, 600)
        assert await host.binding.request(request) == NdisStatus.SUCCESS, Oid(oid)
        assert bytes(request.buffer[request.bytes_written :]) == bytes(600 - request.bytes_written)
    features = await host.nic.hardware.read(regs.FEATURES)
    for oid, bit in NOT_BUILT:
        assert not features & bit and oid not in listed
        assert await host.binding.request(ndis.query(oid, 600)) == NdisStatus.NOT_SUPPORTED
    for _ in range(30):
        oid = draw.getrandbits(32)
        for request in (ndis.query(oid, 8), ndis.set_information(oid, bytes(8))):
            assert oid in listed or await host.binding.request(request) == NdisStatus.NOT_SUPPORTED
    await finish(host)


@cocotb.test()
async def filters_and_lists_of_three_bindings_meet_in_the_registers(dut):
    """OI-10, OI-11, OI-20: OR and union, single addresses, a close; each read back from the filter registers."""
    host, protocols = await with_protocols(dut, "one", "two", "three")
    draw, read = random.Random(10), host.nic.hardware.read
    bits = {
        PacketFilter.DIRECTED: regs.RX_FILTER_OWN_UNICAST,
        PacketFilter.BROADCAST: regs.RX_FILTER_BROADCAST,
        PacketFilter.ALL_MULTICAST: regs.RX_FILTER_ALL_MULTICAST,
        PacketFilter.PROMISCUOUS: regs.RX_FILTER_PROMISCUOUS,
    }

    async def entries():
        found = set()
        for n in range(regs.EXACT_ENTRIES):
            high = await read(regs.exact_hi(n))
            if high & regs.EXACT_HI_VALID:
                found.add((await read(regs.exact_lo(n))).to_bytes(4, "little") + (high & 0xFFFF).to_bytes(2, "little"))
        return found

    wanted = {}
    for _ in range(12):
        protocol = draw.choice(protocols)
        wanted[protocol] = sum(draw.sample([int(bit) for bit in bits], draw.randrange(5)))
        assert await protocol.set_filter(wanted[protocol]) == NdisStatus.SUCCESS
        merged = 0
        for one_of in protocols:
            merged |= wanted.get(one_of, int(PacketFilter.DIRECTED | PacketFilter.BROADCAST))
        register = await read(regs.RX_FILTER)
        assert {bit for bit in bits.values() if register & bit} == {bits[b] for b in bits if merged & b}
    assert await protocols[0].set_multicast(GROUP, OTHER, GROUP) == NdisStatus.SUCCESS
    assert await protocols[1].request(ndis.set_information(ADD, OTHER)) == NdisStatus.SUCCESS
    assert await protocols[1].request(ndis.set_information(ADD, OTHER)) == NdisStatus.MULTICAST_EXISTS
    assert await entries() == {GROUP, OTHER}
    assert await protocols[0].request(ndis.set_information(DELETE, OTHER)) == NdisStatus.SUCCESS
    assert await entries() == {GROUP, OTHER}
    assert await protocols[1].request(ndis.set_information(DELETE, OTHER)) == NdisStatus.SUCCESS
    assert await entries() == {GROUP} == {await host.binding.query(Oid.OID_802_3_MULTICAST_LIST, 6)}
    assert await number(host, Oid.OID_802_3_MAXIMUM_LIST_SIZE) == 64
    await ndis.unbind_protocol(protocols[0].open)
    await host.run(10_000)
    assert await entries() == set()
    await finish(host)


def colliding(address):
    """Another group address in the same bucket of the hash."""
    candidates = (b"\x01\0\x5e" + n.to_bytes(3, "big") for n in range(1, 100_000))
    return next(other for other in candidates if other != address and hash_index(other) == hash_index(address))


@cocotb.test()
async def two_groups_in_one_hash_bucket_reach_each_their_own_binding(dut):
    """OI-12, R6-15: 32 groups fill the exact table; two that collide lie in the hash, each wanted by one binding."""
    host, (one_of, two, three) = await with_protocols(dut, "one", "two", "three")
    table = [b"\x01\0\x5e\0\0" + bytes([n]) for n in range(32)]
    first = b"\x01\0\x5e\x70\0\0"
    second = colliding(first)
    await one_of.set_multicast(*table[:16], first)
    await two.set_multicast(*table[8:], second)
    bucket = hash_index(first)
    hashed = await host.nic.hardware.read(regs.HASH_HI if bucket >= 32 else regs.HASH_LO)
    assert hashed == 1 << bucket % 32 and second not in table  # both are in the hash, in one bucket
    third = b"\x01\0\x5e\x71\0\0"
    while hash_index(third) != bucket:
        third = third[:3] + (int.from_bytes(third[3:], "big") + 1).to_bytes(3, "big")
    before = (await host.rx_counters())["DELIVERED_FRAMES"]
    frames = {group: frame(n, destination=group) for n, group in enumerate((first, second, third, table[10]))}
    host.inject(*frames.values())
    await host.until(lambda: one_of.received and two.received)
    await host.run()
    assert one_of.received == [frames[first], frames[table[10]]]
    assert two.received == [frames[second], frames[table[10]]]
    assert three.received == []
    passed = (await host.rx_counters())["DELIVERED_FRAMES"] - before
    assert passed == 4  # the stranger too: the hardware is imperfect, NDIS is not
    await finish(host)


def kind_of(data):
    """Directed, multicast or broadcast."""
    return "BROADCAST" if data[:6] == BROADCAST else "MULTICAST" if data[0] & 1 else "DIRECTED"


@cocotb.test()
async def every_statistics_oid_counts_what_the_taps_saw(dut):
    """OI-13, OI-06, R6-17, R6-18: random traffic both ways with bad frames and full buffers; each counter by itself."""
    host, draw = await one(dut, rx_ring=16, rx_buffers=16, rx_low_water=0), random.Random(13)
    await host.binding.set_filter(PacketFilter.DIRECTED | PacketFilter.BROADCAST | PacketFilter.ALL_MULTICAST)
    await host.run(5_000)
    good, bad, sent = [], 0, []
    for n in range(120 if FAST else 40):
        data = frame(n, draw.randrange(60, 700), draw.choice((OWN, GROUP, BROADCAST)))
        wrong = draw.random() < 0.15
        host.inject(WireFrame(data, fcs_ok=not wrong, ifg=300))
        bad += wrong
        good += [] if wrong else [data]
        sent.append(frame(n, draw.randrange(60, 700), draw.choice((PEER, GROUP, BROADCAST))))
    host.send(*sent, frame(0, 1515))
    assert await number(host, Oid.OID_GEN_TRANSMIT_QUEUE_LENGTH) > 0
    await host.idle()
    await host.until(lambda: len(host.received) == len(good), limit_ns=20_000_000)
    await host.run()
    expected = {}
    for way, frames in (("RCV", good), ("XMIT", sent)):
        for kind in ("DIRECTED", "MULTICAST", "BROADCAST"):
            mine = [data for data in frames if kind_of(data) == kind]
            expected[f"{kind}_FRAMES_{way}"], expected[f"{kind}_BYTES_{way}"] = len(mine), sum(map(len, mine))
        expected[f"BYTES_{way}"] = sum(map(len, frames))
        expected["XMIT_OK" if way == "XMIT" else "RCV_OK"] = len(frames)
    expected |= {"RCV_ERROR": bad, "RCV_CRC_ERROR": bad, "XMIT_ERROR": 1, "TRANSMIT_QUEUE_LENGTH": 0}
    expected |= {"RCV_NO_BUFFER": 0, "RCV_DISCARDS": 0, "XMIT_DISCARDS": 0, "RESET_COUNTS": 0}
    assert host.sent == sent
    for name, value in expected.items():
        oid = Oid[f"OID_GEN_{name}"]
        size = 4 if name == "RESET_COUNTS" else 8
        assert await number(host, oid, size) == value, name
        if size == 8:
            half = ndis.query(oid, 4)
            assert await host.binding.request(half) == NdisStatus.SUCCESS
            assert (int.from_bytes(half.answer(), "little"), half.bytes_needed) == (value, 8)
    info = await host.statistics()
    assert info.broken_identity() is None and info.if_hc_in_octets == expected["BYTES_RCV"]
    for oid in ("RCV_ERROR_ALIGNMENT", "XMIT_ONE_COLLISION", "XMIT_MORE_COLLISIONS"):
        assert await number(host, Oid[f"OID_802_3_{oid}"]) == 0
    await finish(host)


@cocotb.test()
async def a_counter_beyond_32_bits_is_whole_in_eight_bytes(dut):
    """OI-06, OI-13: the hardware counter is preset near 2^32; one more frame carries it over."""
    host = await one(dut)
    place = regs.rx_counter(regs.RxCounter.UNICAST_OCTETS)
    host.nic.hardware.write(place, 0xFFFF_FFF0)
    host.nic.hardware.write(place + 4, 0)
    host.inject(frame(1, 100))
    await host.until(lambda: host.received)
    await host.run(2_000)
    assert await number(host, Oid.OID_GEN_DIRECTED_BYTES_RCV, 8) == 0x1_0000_0054
    half = ndis.query(Oid.OID_GEN_DIRECTED_BYTES_RCV, 4)
    assert await host.binding.request(half) == NdisStatus.SUCCESS
    assert (int.from_bytes(half.answer(), "little"), half.bytes_needed) == (0x54, 8)
    await finish(host)


@cocotb.test()
async def link_oids_follow_the_cable(dut):
    """OI-16, OI-20: LINK_STATE, MEDIA_CONNECT_STATUS, LINK_SPEED agree with STATUS.link_up; parameters by the MAC."""
    host = await one(dut)
    for up in (1, 0, 1):
        host.card.settings.link_up = up
        await host.run(20_000)
        assert bool(await host.nic.hardware.read(regs.STATUS) & regs.STATUS_LINK_UP) == bool(up)
        state = ndis.LinkState.parse(await host.binding.query(Oid.OID_GEN_LINK_STATE, 64))
        assert (state.media_connect_state, state.xmit_link_speed) == ((1, 10**9) if up else (2, 0))
        assert await number(host, Oid.OID_GEN_MEDIA_CONNECT_STATUS) == (0 if up else 1)
        assert await number(host, Oid.OID_GEN_LINK_SPEED) == (10**7 if up else 0)
    parameters = struct.pack("<BBHIQQII", 0x80, 1, 32, ndis.MediaDuplexState.FULL, 10**9, 10**9, 0, 0)
    assert await set_oid(host, Oid.OID_GEN_LINK_PARAMETERS, parameters) == NdisStatus.SUCCESS
    slow = struct.pack("<BBHIQQII", 0x80, 1, 32, ndis.MediaDuplexState.FULL, 10**8, 10**8, 0, 0)
    assert await set_oid(host, Oid.OID_GEN_LINK_PARAMETERS, slow) == NdisStatus.INVALID_DATA
    await host.both([frame(n) for n in range(5)])
    await finish(host)


@cocotb.test()
async def interrupt_moderation_can_be_switched_off_and_on(dut):
    """OI-04: the registers of both queues, and the interrupts of 16 frames: one each, or two for all."""
    host = await one(dut, rx_moderation=(8, 6_000), poll_ns=0)
    read = host.nic.hardware.read

    async def interrupts():
        before, have = host.card.device.interrupts, len(host.received)
        host.inject(*[WireFrame(frame(n), ifg=500) for n in range(16)])
        await host.until(lambda: len(host.received) == have + 16)
        return host.card.device.interrupts - before

    for state, count, wanted in ((2, 8, 2), (3, 1, 16), (2, 8, 2)):
        data = struct.pack("<BBHII", 0x80, 1, 12, 0, state)
        assert await set_oid(host, Oid.OID_GEN_INTERRUPT_MODERATION, data) == NdisStatus.SUCCESS
        assert await host.binding.query(Oid.OID_GEN_INTERRUPT_MODERATION, 12) == data
        assert await read(regs.rx_page(0) + regs.QUEUE_MOD_COUNT) == count
        assert await interrupts() == wanted
    await finish(host)


@cocotb.test()
async def a_reset_is_counted_and_a_request_in_it_ends(dut):
    """OI-22, OI-18, OI-01, OI-02: RESET_COUNTS; a multicast set issued in the reset is in the registers afterwards."""
    host = await one(dut)
    reset = cocotb.start_soon(ndis.reset_adapter(host.stack.adapter))
    await host.run(200)
    assert host.stack.adapter.resetting
    assert await host.binding.set_multicast_list([GROUP]) == NdisStatus.SUCCESS
    assert await reset == NdisStatus.SUCCESS
    assert await number(host, Oid.OID_GEN_RESET_COUNTS) == 1
    assert await host.nic.hardware.read(regs.exact_hi(0)) & regs.EXACT_HI_VALID
    await host.both([frame(n) for n in range(5)])
    await finish(host)


# --- power ------------------------------------------------------------------------------------------------------------


async def set_power(host, power):
    """As the power manager does."""
    return await ndis.set_adapter_power(host.stack.adapter, power)


@cocotb.test()
async def d3_clears_the_hardware_and_d0_brings_everything_back(dut):
    """ST-24, OI-08, ST-12, ST-08: registers at reset values, silence both ways, then filter and traffic as before."""
    host, (protocol,) = await with_protocols(dut, "sleeper")
    await protocol.set_multicast(GROUP)
    read, pages = host.nic.hardware.read, (regs.tx_page(0), regs.rx_page(0))
    places = [regs.CTRL, regs.RX_FILTER, regs.MAC_ADDR_LO, regs.MAC_ADDR_HI, regs.MISC_ENABLE, regs.exact_hi(0)]
    places += [page + register for page in pages for register in (regs.QUEUE_CTRL, regs.QUEUE_RING_SIZE)]
    awake = [await read(place) for place in places]
    assert all(awake)
    for power in (DevicePowerState.D3, DevicePowerState.D2):
        assert await set_power(host, power) == NdisStatus.SUCCESS
        assert [await read(place) for place in places] == [0] * len(places)
        dma = host.card.statistics.reads, host.card.statistics.writes
        protocol.send(frame(1))
        host.inject(frame(2), frame(3, destination=GROUP))
        await host.run(20_000)
        assert protocol.completed[-1][1] == NdisStatus.LOW_POWER_STATE
        assert (host.sent, protocol.received) == ([], [])
        assert (host.card.statistics.reads, host.card.statistics.writes) == dma
        assert await protocol.request(ndis.query(Oid.OID_GEN_STATISTICS, 512)) == NdisStatus.LOW_POWER_STATE
        assert await protocol.request(ndis.query(Oid.OID_PNP_QUERY_POWER, 4)) == NdisStatus.SUCCESS
        assert await set_power(host, DevicePowerState.D0) == NdisStatus.SUCCESS
        await host.binding.set_filter(0)  # the raw protocol asks for its filter anew at each restart
        assert [await read(place) for place in places] == awake
        protocol.send(frame(4), frame(5))
        host.inject(frame(6), frame(7, destination=GROUP), frame(8, destination=OTHER))
        await protocol.settle(host)
        await host.until(lambda: len(protocol.received) == 2)
        assert (host.sent, protocol.received) == ([frame(4), frame(5)], [frame(6), frame(7, destination=GROUP)])
        host.wire.clear()
        protocol.received.clear()
    assert protocol.events.count(NetEvent.SET_POWER) == 4
    capabilities = ndis.query(Oid.OID_PNP_CAPABILITIES, 16)
    assert await protocol.request(capabilities) == NdisStatus.SUCCESS and capabilities.answer() == bytes(16)
    await finish(host)


@cocotb.test()
async def sleep_amid_traffic_loses_no_accepted_frame(dut):
    """ST-24, ST-23, ST-07, ST-09: random traffic, five sleeps at random moments; each NBL ends once."""
    host, draw = await one(dut, rx_buffers=64), random.Random(24)
    traffic = Traffic(host, draw, inject=False)
    for _ in range(5):
        await host.run(draw.randrange(5_000, 40_000))
        assert await set_power(host, DevicePowerState.D3) == NdisStatus.SUCCESS
        await host.run(draw.randrange(1_000, 10_000))
        assert await set_power(host, DevicePowerState.D0) == NdisStatus.SUCCESS
    await traffic.stop()
    await host.idle()
    refused = [status for status in host.binding.statuses if status]
    assert set(refused) <= {NdisStatus.LOW_POWER_STATE, NdisStatus.PAUSED}
    assert len(host.sent) == traffic.count - len(refused)
    await host.both([frame(n) for n in range(5)])
    await finish(host)
