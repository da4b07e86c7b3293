# SPDX-License-Identifier: Apache-2.0
"""Translation between NDIS 5 and NDIS 6: NDIS_PACKET <-> NET_BUFFER_LIST on the same buffers, and what belongs to it.

    protocol 5   protocol 6
        |  \\      /  |
        |   tx, rx   |          packets <-> lists, no byte copied; objects.py has the pools they come from
        |  /      \\  |
    miniport 5   miniport 6

    status.py   how a send ended            (XL-13)      oob.py   per-packet and per-list information   (XL-12)
    oid.py      requests and statistics     (XL-20)      link.py  media connect <-> link state          (XL-14)
    check.py    both sides say the same     (V12, XL-01)

An NDIS_BUFFER is an `Mdl`, so a translated object describes the very buffers of the original. Neither driver ever sees
the other's structures (XL-01).
"""
