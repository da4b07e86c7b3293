# SPDX-License-Identifier: Apache-2.0
"""A capture through the Verilog NIC in both directions, on either simulator: replay_capture.py [FILE] [SIM].

What it prints is what `hilnic replay` reports as JSON; a damaged file ends it with a sentence, before anything runs.
"""

import json
import subprocess
import sys
from pathlib import Path

capture = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "tests/data/802.1w_rapid_STP.pcap"
simulator = sys.argv[2] if len(sys.argv) > 2 else "verilator"

for direction in ("tx", "rx"):
    command = [sys.executable, "-m", "hilnic", "replay", str(capture)]
    done = subprocess.run(
        [*command, "--direction", direction, "--sim", simulator, "--json", "-"], stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)
    report = json.loads(done.stdout)
    print(f"{direction}: {report['equal']} of {report['sent']} frames arrived unchanged, wire in {report['pcap']}")
