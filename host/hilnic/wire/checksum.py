# SPDX-License-Identifier: Apache-2.0
"""The Internet checksum (RFC 1071)."""


def ones_sum(data: bytes | bytearray | memoryview, start: int = 0) -> int:
    """Ones' complement sum of big-endian 16-bit words, an odd last octet padded with zero; `start` is a sum so far."""
    # one big number modulo 0xFFFF is the sum of its 16-bit digits with end-around carry
    total = int.from_bytes(data, "big") << (8 if len(data) % 2 else 0)
    folded = (total + start) % 0xFFFF
    return folded or (0xFFFF if total or start else 0)


def checksum(data: bytes | bytearray | memoryview, start: int = 0) -> int:
    """What the checksum field of `data` must hold when it is zero in `data`; 0 when it already holds the right one."""
    return 0xFFFF ^ ones_sum(data, start)
