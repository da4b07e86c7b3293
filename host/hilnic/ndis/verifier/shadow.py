# SPDX-License-Identifier: Apache-2.0
"""V2 and V3: what a NET_BUFFER_LIST looked like when it was handed over, and poison when its validity ends.

A shadow is cheap on purpose, for one is taken and compared per frame and direction.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from hilnic.ndis.context import depth
from hilnic.ndis.flags import NblInfo
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.verifier.reserved import Kept, miniport_fields, same, sender_fields

SendShadow = tuple[list[Any], int, list[Any], int, Kept | None]
"""(identities and fields of every NB and MDL, CRC-32 of the used bytes, out-of-band, pieces of context, in `full` the
sender's reserved fields)."""

ReceiveShadow = tuple[list[Any], int, Mdl | None, int, int, int, Kept | None]
"""(identities of NB and MDLs, CRC-32 of the used bytes, first used MDL, offset in it, length, pieces of context, in
`full` the miniport's reserved fields)."""

POISON = 0xDD
_POISON_BYTES = bytes([POISON]) * 65536
_LSO = int(NblInfo.TCP_LARGE_SEND)  # a completion writes its result into this slot (OF-09)


def checksum(mdl: Mdl | None, offset: int, length: int, crc: int = 0) -> int:
    """CRC-32 of `length` bytes that begin `offset` into `mdl`."""
    while length > 0 and mdl is not None:
        piece = mdl.byte_count - offset
        if piece > length:
            piece = length
        if piece > 0:
            start = mdl.byte_offset + offset
            crc = crc32(mdl.region.view[start : start + piece], crc)
            length -= piece
        mdl = mdl.next
        offset = 0
    return crc


def take_sent(nbl: NetBufferList) -> SendShadow:
    """Everything that must be as submitted when the list completes (S6-04, S6-09)."""
    structure: list[Any] = []
    crc = 0
    nb = nbl.first_net_buffer
    while nb is not None:
        structure += (nb, nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset)
        mdl = nb.mdl_chain
        while mdl is not None:
            structure += (mdl, mdl.region, mdl.byte_offset, mdl.byte_count)
            mdl = mdl.next
        crc = checksum(nb.current_mdl, nb.current_mdl_offset, nb.data_length, crc)
        nb = nb.next
    info = nbl.net_buffer_list_info.copy()
    info[_LSO] = None
    info.append(nbl.flags)
    info.append(nbl.nbl_flags)
    kept = None if nbl.pool.ndis.guard is None else sender_fields(nbl)
    return structure, crc, info, 0 if nbl.context is None else depth(nbl), kept


def sent_change(nbl: NetBufferList, before: SendShadow) -> tuple[str, str] | None:
    """The rule that a completed list breaks and what changed, or None."""
    structure, crc, info, context, kept = take_sent(nbl)
    if structure != before[0]:
        return "S6-04", "NBL_MUTATED: NB list, MDL chain or offsets differ from the submitted ones"
    if crc != before[1]:
        return "S6-09", "TOUCH_WHILE_PENDING: the bytes differ from the submitted ones"
    if info != before[2]:
        return "S6-04", "NBL_MUTATED: flags or out-of-band values differ from the submitted ones"
    if context != before[3]:
        return "MD-19", f"{context} pieces of context instead of the {before[3]} that it came with"
    if kept is not None and before[4] is not None and not same(before[4], kept):
        return "MD-28", "the sender's reserved fields differ from the submitted ones"
    return None


def take_received(nbl: NetBufferList) -> ReceiveShadow:
    """What a receiver must leave as it is; it may advance the NB, so the used range is kept here."""
    nb = nbl.first_net_buffer
    if nb is None:
        return [], 0, None, 0, 0, 0, None
    crc = checksum(nb.current_mdl, nb.current_mdl_offset, nb.data_length)
    context = 0 if nbl.context is None else depth(nbl)
    kept = None if nbl.pool.ndis.guard is None else miniport_fields(nbl)
    return _received_structure(nbl), crc, nb.current_mdl, nb.current_mdl_offset, nb.data_length, context, kept


def received_change(nbl: NetBufferList, before: ReceiveShadow) -> str | None:
    """What differs from the indicated form: "chain", "bytes", "context", "reserved" or None."""
    structure, crc, mdl, offset, length, context, kept = before
    if _received_structure(nbl) != structure:
        return "chain"
    if checksum(mdl, offset, length) != crc:
        return "bytes"
    if (0 if nbl.context is None else depth(nbl)) != context:
        return "context"
    return "reserved" if kept is not None and not same(kept, miniport_fields(nbl)) else None


def _received_structure(nbl: NetBufferList) -> list[Any]:
    structure: list[Any] = []
    nb = nbl.first_net_buffer
    while nb is not None:
        structure.append(nb)
        mdl = nb.mdl_chain
        while mdl is not None:
            structure += (mdl, mdl.region, mdl.byte_offset, mdl.byte_count)
            mdl = mdl.next
        nb = nb.next
    return structure


def poison(shadow: ReceiveShadow) -> None:
    """Fill the range with 0xDD: whoever reads it later sees that it is not his any more (V3)."""
    _, _, mdl, offset, length, _, _ = shadow
    while length > 0 and mdl is not None:
        piece = mdl.byte_count - offset
        if piece > length:
            piece = length
        if piece > 0:
            start = mdl.byte_offset + offset
            mdl.region.view[start : start + piece] = _POISON_BYTES[:piece]
            length -= piece
        mdl = mdl.next
        offset = 0
