# SPDX-License-Identifier: Apache-2.0
"""`make docs`: writes the generated parts of docs/ again, each with its own generator."""

import subprocess
import sys
from pathlib import Path

GENERATORS = ("gen_regs.py", "gen_ndis_docs.py", "gen_signalling_docs.py")


def main() -> int:
    """Run the generators; the exit code of the first one that fails."""
    for name in GENERATORS:
        code = subprocess.run([sys.executable, str(Path(__file__).with_name(name))], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
