# SPDX-License-Identifier: Apache-2.0
"""The JSON that a command writes for other programs, with `--json` to standard output, with `--json FILE` to a file."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hilnic.apps.outcome import Exit, Stop

STDOUT = Path("-")


def check_file(file: Path | None) -> None:
    """Stop with USAGE when the report could not be written: before the work, not after it."""
    if file is None or file == STDOUT:
        return
    writable = os.access(file, os.W_OK) if file.exists() else os.access(file.absolute().parent, os.W_OK)
    if file.is_dir() or not writable:
        raise Stop(Exit.USAGE, f"--json {file}: cannot be written")


def write(report: Mapping[str, Any], file: Path | None) -> None:
    """Write the report where it was asked for; nowhere when it was not."""
    if file is None:
        return
    text = json.dumps(report, indent=1) + "\n"
    if file == STDOUT:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")
