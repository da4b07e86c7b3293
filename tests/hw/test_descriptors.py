# SPDX-License-Identifier: Apache-2.0
"""Descriptors and completions: the generated pack and unpack against the datasheet's bit positions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic.hw import descriptors as d

u8, u16, u32, u64 = (st.integers(0, (1 << n) - 1) for n in (8, 16, 32, 64))
tx_descriptors = st.builds(d.TxDescriptor, u64, u16, st.booleans(), st.booleans(), st.integers(0, 15))
completions = st.builds(d.Completion, u32, u16, u8, u8, u16, u8, u8, u32, u64, st.booleans(), u16)


def test_a_tx_descriptor_has_the_bits_of_the_datasheet() -> None:
    word = int.from_bytes(d.TxDescriptor(0x1_2345_6789, 0x5EA, sop=True, eop=True, kind=1).pack(), "little")
    assert word == 0x1_2345_6789 | 0x5EA << 64 | 1 << 80 | 1 << 81 | 1 << 84


def test_a_completion_has_the_bits_of_the_datasheet() -> None:
    packed = d.Completion(7, 60, status=0x17, cause=8, phase=True, frame_length=61).pack()
    words = [int.from_bytes(packed[i : i + 8], "little") for i in range(0, 32, 8)]
    assert words == [7 | 60 << 32 | 0x17 << 48 | 8 << 56, 0, 0, 1 | 61 << 16]
    assert packed[d.COMPLETION_PHASE_BYTE] & 1


@given(tx_descriptors)
def test_a_tx_descriptor_survives_memory(value: d.TxDescriptor) -> None:
    assert d.TxDescriptor.unpack(value.pack()) == value


@given(completions)
def test_a_completion_survives_memory(value: d.Completion) -> None:
    assert d.Completion.unpack(bytes(5) + value.pack(), 5) == value


@given(tx_descriptors)
def test_the_fast_path_stores_what_the_value_packs(value: d.TxDescriptor) -> None:
    buffer = bytearray(32)
    d.pack_tx_descriptor_into(buffer, 16, value.address, value.length, value.sop, value.eop, value.kind)
    assert buffer == bytes(16) + value.pack()


@given(completions)
def test_numpy_sees_the_same_completion(value: d.Completion) -> None:
    row = np.frombuffer(value.pack(), d.COMPLETION_DTYPE)[0]
    assert (row["index"], row["length"], row["frame_length"]) == (value.index, value.length, value.frame_length)
    assert row["bits_192"] == value.phase * d.COMPLETION_PHASE_IN_BITS_192


@given(completions)
def test_no_field_lies_in_reserved_bits(value: d.Completion) -> None:
    assert not int.from_bytes(value.pack(), "little") & d.COMPLETION_RESERVED


@pytest.mark.parametrize("dtype", [d.TX_DESCRIPTOR_DTYPE, d.RX_DESCRIPTOR_DTYPE, d.COMPLETION_DTYPE])
def test_numpy_types_are_as_long_as_the_layout(dtype: np.dtype[np.void]) -> None:
    assert dtype.itemsize in {d.TX_DESCRIPTOR_BYTES, d.COMPLETION_BYTES}


def test_the_phase_is_one_in_the_first_lap_and_alternates() -> None:
    assert [d.phase_of(i, 4) for i in (0, 3, 4, 7, 8, 0xFFFF_FFFF)] == [1, 1, 0, 0, 1, 0]
