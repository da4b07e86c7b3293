# SPDX-License-Identifier: Apache-2.0
"""OB-10: the bytes of a packet descriptor, for both widths of pointer."""

from __future__ import annotations

import struct

import pytest

from hilnic.ndis import Mdl, Ndis, NdisStatus, ndis5
from hilnic.ndis.ndis5 import PacketInfo, abi
from hilnic.testing import VirtualKernel

WIDTHS = pytest.mark.parametrize(("layout", "pointer"), [(abi.LAYOUT_32, "I"), (abi.LAYOUT_64, "Q")])


def packet() -> ndis5.Packet:
    host = Ndis(VirtualKernel())
    pool = ndis5.allocate_packet_pool(host, 1)[1]
    made = ndis5.allocate_packet(pool)[1]
    ndis5.chain_buffer_at_back(made, Mdl(host.kernel.allocate(60), 0, 60))
    ndis5.set_packet_status(made, NdisStatus.RESOURCES)
    ndis5.set_packet_header_size(made, 14)
    ndis5.set_packet_time_received(made, 0x1122334455667788)
    ndis5.set_packet_media_specific_info(made, b"abcde")
    made.packet_info[PacketInfo.IEEE_8021Q] = "tag"
    return made


@pytest.mark.rule("OB-10")
def test_sizes_and_offsets_are_fixed_per_width_of_pointer():
    assert (abi.LAYOUT_32.oob_offset(0), abi.LAYOUT_64.oob_offset(0)) == (56, 96)
    assert (abi.LAYOUT_32.oob_offset(16), abi.LAYOUT_64.oob_offset(16)) == (72, 112)
    assert (abi.LAYOUT_32.oob_offset(1), abi.LAYOUT_64.oob_offset(1)) == (64, 104)
    assert (abi.LAYOUT_32.size(0), abi.LAYOUT_64.size(0)) == (56 + 32 + 48, 96 + 40 + 96)


@pytest.mark.rule("OB-10")
@WIDTHS
def test_the_block_is_found_behind_the_packet_by_the_offset_in_it(layout, pointer):
    made = packet()
    data = abi.pack(made, layout, 16, lambda item: 0xA0 if item == "tag" else 0x1000)
    (offset,) = struct.unpack_from("<H", data, {"I": 30, "Q": 42}[pointer])
    assert offset == layout.oob_offset(16)
    times = struct.unpack_from("<QQII", data, offset)
    assert times == (0, 0x1122334455667788, 14, 5)
    status = struct.unpack_from("<I", data, offset + {"I": 28, "Q": 32}[pointer])[0]
    assert status == NdisStatus.RESOURCES
    extension = struct.unpack_from(f"<12{pointer}", data, offset + layout.out_of_band.size)
    assert extension == tuple(0xA0 if slot == PacketInfo.IEEE_8021Q else 0 for slot in range(12))


@pytest.mark.rule("OB-10", "S5-16")
@WIDTHS
def test_the_private_part_has_the_counts(layout, pointer):
    made = packet()
    data = abi.pack(made, layout, 0, lambda item: 0x1000)
    assert struct.unpack_from("<II", data) == (1, 60)
    assert struct.unpack_from(f"<3{pointer}", data, 8) == (0x1000,) * 3
    empty = ndis5.allocate_packet(ndis5.allocate_packet_pool(made.ndis, 1)[1])[1]
    assert struct.unpack_from(f"<2{pointer}", abi.pack(empty, layout, 0, lambda item: 0x1000), 8) == (0, 0)
