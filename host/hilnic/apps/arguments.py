# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an argument, in a sentence; typer hands on what pydantic says of it."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["Commands"]

_SENTENCES = {
    "int_parsing": "{input!r} is no whole number.",
    "greater_than_equal": "{input} is too little: at least {ge}.",
    "less_than_equal": "{input} is too much: at most {le}.",
}
_PREFIX = "Value error, "


class Commands(TyperGroup):
    """All commands; a bad value of one of their arguments is reworded."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _reworded(error)
            raise


def _reworded(error: typer.BadParameter) -> str:
    """Of the first problem that pydantic has found; the message as it is when it has found none."""
    find = getattr(error.__cause__, "errors", None)
    if find is None:
        return error.message
    problem: dict[str, Any] = find()[0]
    sentence = _SENTENCES.get(problem["type"])
    if sentence is None:
        return str(problem["msg"]).removeprefix(_PREFIX)
    return sentence.format(input=problem["input"], **problem.get("ctx", {}))
