# SPDX-License-Identifier: Apache-2.0
"""The error that every parser of this package raises, and reading of octets that may not be there."""


class Malformed(ValueError):
    """The octets are no legal value of their protocol: why."""


def number(buffer: memoryview, offset: int, size: int) -> int:
    """A big-endian number; octets past the end read as zero."""
    return int.from_bytes(bytes(buffer[offset : offset + size]).ljust(size, b"\0"), "big")


def octets(buffer: memoryview, offset: int, size: int) -> bytes:
    """Octets; those past the end read as zero."""
    return bytes(buffer[offset : offset + size]).ljust(size, b"\0")


def require_octets(value: bytes, size: int, what: str) -> None:
    """ValueError unless `value` has exactly `size` octets."""
    if len(value) != size:
        raise ValueError(f"{what} has {size} octets, not {len(value)}")


def require_range(value: int, bits: int, what: str) -> None:
    """ValueError unless `value` fits in `bits` bits."""
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{what} is a {bits}-bit number, not {value}")
