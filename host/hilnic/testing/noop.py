# SPDX-License-Identifier: Apache-2.0
"""Turn one WDK function into one that does nothing: then some test has to go red (`make soak`)."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import WDK_FUNCTIONS


def silence(name: str) -> None:
    """From now on the function with this WDK name answers SUCCESS and does nothing, whoever has imported it."""
    row = WDK_FUNCTIONS[name]
    wrapper = getattr(importlib.import_module(row.module), row.python_name)
    function = inspect.unwrap(wrapper)

    def nothing(*_: Any, **__: Any) -> Any:
        return NdisStatus.SUCCESS

    async def nothing_later(*_: Any, **__: Any) -> Any:
        return NdisStatus.SUCCESS

    idle = nothing_later if inspect.iscoroutinefunction(function) else nothing
    for cell in wrapper.__closure__:
        if cell.cell_contents is function:
            cell.cell_contents = idle
            return
    raise LookupError(f"{row.python_name} holds no function to silence")
