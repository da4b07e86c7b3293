# SPDX-License-Identifier: Apache-2.0
"""V2 and V3: what a NET_BUFFER_LIST looked like when it was handed over, and poison when its validity ends.

A list that is followed alone has a shadow; what travels in a batch has a form, of which `from_batch` makes one.
"""

from __future__ import annotations

import sys
from itertools import pairwise, takewhile
from typing import Any

from hilnic.ndis.context import depth
from hilnic.ndis.flags import NblInfo
from hilnic.ndis.mdl import Mdl, is_circular, walk_mdls
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.verifier.batch import EMPTY_INFO, SentForm
from hilnic.ndis.verifier.reserved import Kept, miniport_fields, same, sender_fields

SendShadow = tuple[list[Any], bytes | None, list[Any], int, Kept | None, int, int]
"""(identities and fields of every NB and MDL, the used bytes if they were kept, out-of-band, pieces of context,
in `full` the sender's reserved fields, flags, nbl_flags)."""

ReceiveShadow = tuple[list[Any], bytes | None, Mdl | None, int, int, int, Kept | None]
"""(identities of NB and MDLs, the used bytes if they were kept, first used MDL, offset in it, length, pieces of
context, in `full` the miniport's reserved fields)."""

BriefShadow = tuple[Any, Any, int]
"""(NET_BUFFER, its MDL chain, its length)."""

POISON = 0xDD
_BRIEF = 3  # members of a BriefShadow; a SendShadow has more
_RECEIVED = 3  # members of a ReceivedForm; a SentForm has many more
POISON_BYTES = bytes([POISON]) * 65536
_CANCEL_ID = int(NblInfo.CANCEL_ID)
_LSO = int(NblInfo.TCP_LARGE_SEND)  # a completion writes its result into this slot (OF-09)


def content(mdl: Mdl | None, offset: int, length: int) -> bytes:
    """A copy of `length` bytes that begin `offset` into `mdl`: cheaper than any checksum of them."""
    if mdl is not None and offset >= 0 and offset + length <= mdl.byte_count:
        start = mdl.byte_offset + offset
        return mdl.region.view[start : start + length].tobytes()
    pieces = []
    while length > 0 and mdl is not None:
        piece = mdl.byte_count - offset
        if piece > length:
            piece = length
        if piece > 0:
            start = mdl.byte_offset + offset
            pieces.append(mdl.region.view[start : start + piece])
            length -= piece
        mdl = mdl.next
        offset = 0
    return b"".join(pieces)


def take_sent(nbl: NetBufferList) -> SendShadow:
    """Everything that must be as submitted when the list completes (S6-04, S6-09)."""
    structure, data = _sent_structure(nbl, sys.maxsize), _sent_bytes(nbl)
    context = 0 if nbl.context is None else depth(nbl)
    kept = None if nbl.pool.ndis.guard is None else sender_fields(nbl)
    return structure, data, nbl.net_buffer_list_info.copy(), context, kept, nbl.flags, nbl.nbl_flags


def _sent_structure(nbl: NetBufferList, most: int) -> list[Any]:
    """Identities and fields of every NB and MDL; no more than about `most` entries, for it may have become a circle."""
    nb: Any = nbl.first_net_buffer
    structure: list[Any] = []
    while nb is not None and len(structure) <= most:
        structure += (nb, nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset)
        mdl = nb.mdl_chain
        while mdl is not None and len(structure) <= most:
            structure += (mdl, mdl.region, mdl.byte_offset, mdl.byte_count)
            mdl = mdl.next
        nb = nb.next
    return structure


def _sent_bytes(nbl: NetBufferList) -> bytes:
    """The used bytes of every NB."""
    nb: Any = nbl.first_net_buffer
    if nb.next is None:
        return content(nb.current_mdl, nb.current_mdl_offset, nb.data_length)
    return b"".join(content(nb.current_mdl, nb.current_mdl_offset, nb.data_length) for nb in nbl.net_buffers())


def sent_change(nbl: NetBufferList, before: tuple[Any, ...] | None) -> tuple[str, str] | None:
    """The rule that a completed list breaks and what changed, or None.

    `before` is a SendShadow, a BriefShadow, or None of a list that its batch did not look at.
    """
    if before is None:
        return None
    nb = nbl.first_net_buffer
    if nb is None:
        return "S6-04", "NBL_MUTATED: its NBs are gone"
    if len(before) == _BRIEF:
        unchanged = nb is before[0] and nb.mdl_chain is before[1] and nb.data_length == before[2]
        return None if unchanged else ("S6-04", "NBL_MUTATED: NB, MDL chain or length differ from the submitted ones")
    if _sent_structure(nbl, len(before[0])) != before[0]:
        return "S6-04", "NBL_MUTATED: NB list, MDL chain or offsets differ from the submitted ones"
    if before[1] is not None and _sent_bytes(nbl) != before[1]:
        return "S6-09", "TOUCH_WHILE_PENDING: the bytes differ from the submitted ones"
    info = nbl.net_buffer_list_info
    same_info = info == before[2] or info[:_LSO] + info[_LSO + 1 :] == before[2][:_LSO] + before[2][_LSO + 1 :]
    if not same_info or nbl.flags != before[5] or nbl.nbl_flags != before[6]:
        return "S6-04", "NBL_MUTATED: flags or out-of-band values differ from the submitted ones"
    context = 0 if nbl.context is None else depth(nbl)
    if context != before[3]:
        return "MD-19", f"{context} pieces of context instead of the {before[3]} that it came with"
    if before[4] is not None and not same(before[4], sender_fields(nbl)):
        return "MD-28", "the sender's reserved fields differ from the submitted ones"
    return None


def take_received(nbl: NetBufferList) -> ReceiveShadow:
    """What a receiver must leave as it is; it may advance the NB, so the used range is kept here."""
    nb = nbl.first_net_buffer
    if nb is None:
        return [], b"", None, 0, 0, 0, None
    data = content(nb.current_mdl, nb.current_mdl_offset, nb.data_length)
    context = 0 if nbl.context is None else depth(nbl)
    kept = None if nbl.pool.ndis.guard is None else miniport_fields(nbl)
    return (
        _received_structure(nbl, sys.maxsize),
        data,
        nb.current_mdl,
        nb.current_mdl_offset,
        nb.data_length,
        context,
        kept,
    )


def received_change(nbl: NetBufferList, before: ReceiveShadow) -> str | None:
    """What differs from the indicated form: "chain", "bytes", "context", "reserved" or None."""
    structure, data, mdl, offset, length, context, kept = before
    if _received_structure(nbl, len(structure)) != structure:
        return "chain"
    if data is not None and content(mdl, offset, length) != data:
        return "bytes"
    if (0 if nbl.context is None else depth(nbl)) != context:
        return "context"
    return "reserved" if kept is not None and not same(kept, miniport_fields(nbl)) else None


def _received_structure(nbl: NetBufferList, most: int) -> list[Any]:
    """Identities of every NB and MDL; no more than about `most` entries, for it may have become a circle."""
    nb: Any = nbl.first_net_buffer
    if nb is not None and nb.next is None and nb.mdl_chain is not None and nb.mdl_chain.next is None:
        mdl = nb.mdl_chain
        return [nb, mdl, mdl.region, mdl.byte_offset, mdl.byte_count]
    structure: list[Any] = []
    while nb is not None and len(structure) <= most:
        structure.append(nb)
        mdl = nb.mdl_chain
        while mdl is not None and len(structure) <= most:
            structure += (mdl, mdl.region, mdl.byte_offset, mdl.byte_count)
            mdl = mdl.next
        nb = nb.next
    return structure


def put_back(nbl: NetBufferList, before: tuple[Any, ...] | None) -> None:
    """Give a list that was sent the form that it had then: its driver is gone, and cannot do it (S6-04).

    `before` as in `sent_change`; what it does not know stays as it is.
    """
    if before is None:
        return
    if len(before) == _BRIEF:
        nb, mdl, length = before
        nbl.first_net_buffer, nb.next, nb.mdl_chain, nb.data_length, mdl.next = nb, None, mdl, length, None
        return
    _relink(nbl, before[0])
    nbl.net_buffer_list_info[:] = before[2]
    nbl.flags, nbl.nbl_flags = before[5], before[6]
    _drop_context(nbl, before[3])


def put_back_received(nbl: NetBufferList, before: ReceiveShadow) -> None:
    """The same for a list that was indicated (MD-09)."""
    structure, _, mdl, offset, length, context, _ = before
    nb = structure[0]
    nbl.first_net_buffer, nb.mdl_chain = nb, None
    _link_mdls(nb, structure[1:])
    nb.current_mdl, nb.current_mdl_offset, nb.data_length = mdl, offset, length
    nb.data_offset = offset + sum(
        piece.byte_count for piece in takewhile(lambda piece: piece is not mdl, walk_mdls(nb.mdl_chain))
    )
    _drop_context(nbl, context)


def _relink(nbl: NetBufferList, structure: list[Any]) -> None:
    nbs: list[Any] = []
    at = 0
    while at < len(structure):
        nb, nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset = structure[at : at + 5]
        end = at = at + 5
        while end < len(structure) and isinstance(structure[end], Mdl):
            end += 4
        _link_mdls(nb, structure[at:end])
        nbs.append(nb)
        at = end
    nbl.first_net_buffer = nbs[0]
    for nb, following in pairwise([*nbs, None]):
        nb.next = following


def _link_mdls(nb: Any, structure: list[Any]) -> None:
    """(descriptor, region, offset, bytes) of each."""
    mdls = structure[::4]
    for at, mdl in enumerate(mdls):
        mdl.region, mdl.byte_offset, mdl.byte_count = structure[4 * at + 1 : 4 * at + 4]
    nb.mdl_chain = mdls[0] if mdls else None
    for mdl, following in pairwise([*mdls, None]):
        mdl.next = following


def _drop_context(nbl: NetBufferList, pieces: int) -> None:
    while nbl.context is not None and depth(nbl) > pieces:
        nbl.context = nbl.context.next


def from_batch(form: tuple[Any, ...], data: bytes | None) -> SendShadow | ReceiveShadow:
    """The shadow of a list that is taken out of its batch, from its form there and its bytes if they were kept."""
    if len(form) == _RECEIVED:
        (_, _, _, nb, _, mdl, _, region, first, size), offset, length = form
        return [nb, mdl, region, first, size], data, mdl, offset, length, 0, None
    _, flags, nbl_flags, _, _, info, nb, _, start, length, current, at, _, mdl, _, region, first, size = form
    structure = [nb, start, length, current, at, mdl, region, first, size]
    return structure, data, EMPTY_INFO if info is None else info, 0, None, flags, nbl_flags


def brief(form: SentForm) -> BriefShadow:
    """What is compared of most lists of a batch between filters."""
    return form[6], form[13], form[9]


def cancel_id(before: tuple[Any, ...] | None) -> Any:
    """The cancel id that a list was sent with; what has a BriefShadow had none, nor had what was not looked at."""
    return None if before is None or len(before) == _BRIEF else before[2][_CANCEL_ID]


def poison(shadow: ReceiveShadow) -> None:
    """Fill the range with 0xDD: whoever reads it later sees that it is not his any more (V3)."""
    _, _, mdl, offset, length, _, _ = shadow
    if is_circular(mdl):
        return
    while length > 0 and mdl is not None:
        piece = mdl.byte_count - offset
        if piece > length:
            piece = length
        if piece > 0:
            start = mdl.byte_offset + offset
            mdl.region.view[start : start + piece] = POISON_BYTES[:piece]
            length -= piece
        mdl = mdl.next
        offset = 0
