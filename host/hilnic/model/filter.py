# SPDX-License-Identifier: Apache-2.0
"""The receive filter: does the destination address pass, and to which queue (docs/nic.md section 6)."""

from dataclasses import dataclass
from zlib import crc32

from hilnic.hw import regs
from hilnic.model.registers import Registers

BROADCAST = b"\xff" * 6


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the filter says of a destination."""

    accept: bool
    queue: int
    own: bool = False
    broadcast: bool = False
    multicast: bool = False


def hash_index(address: bytes) -> int:
    """Bit of the 64-bit hash table: the upper six bits of the CRC-32 register after the address."""
    register = crc32(address) ^ 0xFFFF_FFFF
    return int(f"{register & 0x3F:06b}"[::-1], 2)


def look_up(registers: Registers, address: bytes) -> Verdict:
    """Judge a destination address."""
    rules = registers.value(regs.RX_FILTER)
    queue = registers.value(regs.RX_STEER)
    promiscuous = bool(rules & regs.RX_FILTER_PROMISCUOUS)
    if address == BROADCAST:
        accept = promiscuous or bool(rules & regs.RX_FILTER_BROADCAST)
        return Verdict(accept, queue, broadcast=True)
    if not address[0] & 1:
        own = address == own_address(registers)
        return Verdict(promiscuous or (own and bool(rules & regs.RX_FILTER_OWN_UNICAST)), queue, own=own)
    accept = promiscuous or bool(rules & regs.RX_FILTER_ALL_MULTICAST) or _hashed(registers, rules, address)
    entry = _exact_entry(registers, address) if rules & regs.RX_FILTER_MULTICAST_EXACT else None
    if entry is None:
        return Verdict(accept, queue, multicast=True)
    if entry & regs.EXACT_HI_STEER:
        queue = (entry & regs.EXACT_HI_QUEUE) >> regs.EXACT_HI_QUEUE_LSB
    return Verdict(True, queue, multicast=True)


def own_address(registers: Registers) -> bytes:
    """The station's address in transmission order."""
    words = registers.value(regs.MAC_ADDR_LO) | registers.value(regs.MAC_ADDR_HI) << 32
    return words.to_bytes(6, "little")


def _hashed(registers: Registers, rules: int, address: bytes) -> bool:
    if not rules & regs.RX_FILTER_MULTICAST_HASH:
        return False
    table = registers.value(regs.HASH_LO) | registers.value(regs.HASH_HI) << 32
    return bool(table >> hash_index(address) & 1)


def _exact_entry(registers: Registers, address: bytes) -> int | None:
    """The high word of the lowest valid entry that equals the address."""
    low, high = int.from_bytes(address[:4], "little"), int.from_bytes(address[4:], "little")
    for entry in range(regs.EXACT_ENTRIES):
        word = registers.value(regs.exact_hi(entry))
        valid = word & regs.EXACT_HI_VALID and word & regs.EXACT_HI_OCTETS == high
        if valid and registers.value(regs.exact_lo(entry)) == low:
            return word
    return None
