# SPDX-License-Identifier: Apache-2.0
"""What every information element checks of its contents."""


class BadLength(ValueError):
    """The contents have not the length of this element."""


def exactly(contents: bytes, size: int) -> None:
    """BadLength unless the contents have `size` octets."""
    if len(contents) != size:
        raise BadLength(f"{len(contents)} octets instead of {size}")


def within(value: int, low: int, high: int, what: str) -> None:
    """ValueError unless low <= value <= high."""
    if not low <= value <= high:
        raise ValueError(f"{what} {value} is not within {low} to {high}")
