# SPDX-License-Identifier: Apache-2.0
"""The Linux kernel pings itself through the Verilog NIC: live_ping.py [PINGS] [SIM]. No privileges are needed.

Exit code 4 means that this machine allows no user namespaces or has no TAP device.
"""

import json
import subprocess
import sys

pings = sys.argv[1] if len(sys.argv) > 1 else "10"
simulator = sys.argv[2] if len(sys.argv) > 2 else "verilator"

command = [
    sys.executable,
    "-m",
    "hilnic",
    "live",
    "--pings",
    pings,
    "--bytes",
    "20000",
    "--sim",
    simulator,
    "--json",
    "-",
]
done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
if done.returncode:
    sys.exit(done.returncode)
report = json.loads(done.stdout)
ping, download = report["ping"], report["download"]
print(f"{ping['received']} of {ping['sent']} answered, {ping['average_ms']:.1f} ms on average")
print(f"{download['octets']} octets by HTTP, digest {'equal' if download['equal'] else 'DIFFERENT'}")
