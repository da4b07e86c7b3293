# SPDX-License-Identifier: Apache-2.0
"""How a command ends: the exit codes, and the exception that ends one with a sentence."""

import enum


class Exit(enum.IntEnum):
    """Exit codes of `hilnic` and of every script of the project."""

    PASSED = 0
    FAILED = 1
    USAGE = 2  # usage or input error; also an unknown test, or a selection of none
    MISSING = 3  # a prerequisite is missing
    IMPOSSIBLE = 4  # cannot be done on this machine
    INTERRUPTED = 130  # by Ctrl-C, as a shell says of what SIGINT has ended


class Stop(Exception):
    """Ends a command: `hilnic` prints the sentence on stderr and exits with the code."""

    def __init__(self, code: Exit, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
