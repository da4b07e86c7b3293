# SPDX-License-Identifier: Apache-2.0
"""docs/translation.md traces one packet per corner: those are the events, and the frame keeps its id."""

from __future__ import annotations

import re

import pytest

from hilnic.testing import PEER, NdisBench

BLOCKS = {"5 over 5": ("Protocol5", "SerializedMiniport5"), "6 over 5": ("Protocol6", "SerializedMiniport5")}
BLOCKS["5 over 6"] = ("Protocol5", "Jumbo")


def written(project, corner: str) -> list[tuple[str, int]]:
    """(kind of event, frame) of the block that follows the corner's name in the document."""
    text = (project / "docs" / "translation.md").read_text(encoding="utf-8")
    block = text.split(f"\n{corner}", 1)[1].split("```")[1]
    return [(kind, int(number)) for kind, number in re.findall(r"^(\S+) +frame=(\d+)", block, re.MULTILINE)]


@pytest.mark.rule("XL-02", "XL-03", "XL-09", "XL-10")
@pytest.mark.parametrize("corner", BLOCKS)
def test_the_trace_is_the_one_in_the_document(drivers, project, corner):
    protocol, miniport = (getattr(drivers, name) for name in BLOCKS[corner])
    b = NdisBench(protocol=protocol, miniport=miniport, completion="inline", trace=True)
    b.kernel.trace.events.clear()
    send = b.fp.send_array if protocol is drivers.Protocol5 else b.fp.send
    send(b.frame(destination=PEER))
    b.fm.indicate(b.frame())
    assert [(kind, fields["frame"]) for _, kind, fields in b.kernel.trace.events] == written(project, corner)
    b.stop()
