# SPDX-License-Identifier: Apache-2.0
"""Packet filter and multicast list to the NIC's receive filter (docs/nic.md, section 6).

The first EXACT_ENTRIES addresses go to the exact table, the others to the hash. The hash passes strangers too; NDIS
filters once more per binding (OI-12).
"""

from __future__ import annotations

import zlib

from hilnic.hw import regs
from hilnic.miniport.hardware import Hardware
from hilnic.ndis import PacketFilter

__all__ = ["MULTICAST_LIST_SIZE", "ReceiveFilter", "hash_index"]

MULTICAST_LIST_SIZE = 64
_FILTER_BITS = (
    (PacketFilter.DIRECTED, regs.RX_FILTER_OWN_UNICAST),
    (PacketFilter.BROADCAST, regs.RX_FILTER_BROADCAST),
    (PacketFilter.MULTICAST, regs.RX_FILTER_MULTICAST_EXACT | regs.RX_FILTER_MULTICAST_HASH),
    (PacketFilter.ALL_MULTICAST, regs.RX_FILTER_ALL_MULTICAST),
    (PacketFilter.PROMISCUOUS, regs.RX_FILTER_PROMISCUOUS),
)


def hash_index(address: bytes) -> int:
    """The bucket of a multicast address: the upper six bits of the 802.3 CRC register (docs/nic.md, section 6)."""
    register = zlib.crc32(address) ^ 0xFFFFFFFF
    return int(f"{register & 0x3F:06b}"[::-1], 2)


def address_words(address: bytes) -> tuple[int, int]:
    """An address as the two register words: octets 0 to 3, octets 4 and 5, first octet lowest."""
    return int.from_bytes(address[:4], "little"), int.from_bytes(address[4:], "little")


class ReceiveFilter:
    """What the NIC is told to accept."""

    __slots__ = ("_entries", "_hardware", "_hash", "packet_filter")

    def __init__(self, hardware: Hardware) -> None:
        self._hardware = hardware
        self.forget()

    def forget(self) -> None:
        """The NIC has been reset: its filter is closed and its table empty."""
        self.packet_filter = 0
        self._entries: list[bytes] = [b""] * regs.EXACT_ENTRIES
        self._hash = 0

    def set_own_address(self, address: bytes) -> None:
        """Program the station address."""
        low, high = address_words(address)
        self._hardware.write(regs.MAC_ADDR_LO, low)
        self._hardware.write(regs.MAC_ADDR_HI, high)

    def set_packet_filter(self, packet_filter: int) -> None:
        """Program OID_GEN_CURRENT_PACKET_FILTER."""
        self.packet_filter = packet_filter
        value = 0
        for flag, bits in _FILTER_BITS:
            if packet_filter & flag:
                value |= bits
        self._hardware.write(regs.RX_FILTER, value)

    def set_multicast_list(self, addresses: list[bytes]) -> None:
        """Replace the list; unchanged table entries are left alone."""
        exact = addresses[: regs.EXACT_ENTRIES]
        for number in range(regs.EXACT_ENTRIES):
            wanted = exact[number] if number < len(exact) else b""
            if wanted != self._entries[number]:
                self._write_entry(number, wanted)
        buckets = 0
        for address in addresses[regs.EXACT_ENTRIES :]:
            buckets |= 1 << hash_index(address)
        if buckets != self._hash:
            self._hash = buckets
            self._hardware.write(regs.HASH_LO, buckets & 0xFFFFFFFF)
            self._hardware.write(regs.HASH_HI, buckets >> 32)

    def _write_entry(self, number: int, address: bytes) -> None:
        """Invalidate, write, validate: a frame never meets half an address."""
        if self._entries[number]:
            self._hardware.write(regs.exact_hi(number), 0)
        if address:
            low, high = address_words(address)
            self._hardware.write(regs.exact_lo(number), low)
            self._hardware.write(regs.exact_hi(number), high | regs.EXACT_HI_VALID)
        self._entries[number] = address
