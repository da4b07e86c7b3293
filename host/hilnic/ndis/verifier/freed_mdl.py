# SPDX-License-Identifier: Apache-2.0
"""An MDL after NdisFreeMdl: whoever still holds it and reads or writes it is named in his own frame (MD-18).

The object takes another class, so that a live MDL costs nothing. What NDIS itself looks at is not judged.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hilnic.ndis.mdl import Mdl

_NDIS = str(Path(__file__).parents[1])
_FIELDS = frozenset({"next", "region", "byte_offset", "byte_count", "address", "view"})


class FreedMdl(Mdl):
    """What an MDL becomes when it is freed."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name in _FIELDS:
            _touched(self, name, "read")
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIELDS:
            _touched(self, name, "written")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return "Mdl(freed)"


def _touched(mdl: FreedMdl, name: str, how: str) -> None:
    if sys._getframe(2).f_code.co_filename.startswith(_NDIS):
        return
    ndis = mdl.ndis
    ndis.violation("MD-18", ndis, mdl, f"{name} of an MDL is {how} after NdisFreeMdl")


def bury(mdl: Mdl) -> None:
    """The MDL has been freed."""
    mdl.__class__ = FreedMdl
