# SPDX-License-Identifier: Apache-2.0
"""How many tests modules of tb/ have, each set of parameters counted, without a simulator.

`python -m hilnic.cosim.count_tests MODULE...` prints {"module": number} as JSON; tb/ has to be on the path.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from cocotb._decorators import Test, TestGenerator

__all__ = ["count"]


def count(module: str) -> int:
    """The tests that cocotb would run of a module."""
    return sum(_cases(value) for value in vars(importlib.import_module(module)).values())


def _cases(value: Any) -> int:
    if isinstance(value, TestGenerator):
        return sum(1 for _ in value.generate_tests())
    return int(isinstance(value, Test))


if __name__ == "__main__":
    print(json.dumps({module: count(module) for module in sys.argv[1:]}))  # noqa: T201 - for the caller
