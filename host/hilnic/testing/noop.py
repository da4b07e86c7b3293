# SPDX-License-Identifier: Apache-2.0
"""Turn a WDK function or handler into one that does nothing: then some test has to go red (`make soak`)."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from hilnic.ndis.ndis import Ndis
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import WDK_FUNCTIONS, WDK_HANDLERS


def silence(name: str) -> None:
    """From now on what has this WDK name answers SUCCESS and does nothing, whoever has imported it."""
    if name in WDK_HANDLERS:
        _silence_handler(name)
    else:
        _silence_function(name)


def _silence_handler(name: str) -> None:
    """Drivers that are registered from now on are called in vain."""
    guarded = Ndis.guarded

    def without(ndis: Ndis, handler: Any, actor: Any, called: str = "") -> Any:
        idle = handler is not None and called == name
        return guarded(ndis, (lambda *_: NdisStatus.SUCCESS) if idle else handler, actor, called)

    Ndis.guarded = without  # type: ignore[method-assign, assignment]


def _silence_function(name: str) -> None:
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
