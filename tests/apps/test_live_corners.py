# SPDX-License-Identifier: Apache-2.0
"""`hilnic live` with every pair of driver versions: the Linux kernel's packets through the Verilog (`make soak`)."""

import json
import subprocess
import sys

import pytest

from hilnic.apps.outcome import Exit

PINGS, OCTETS = 3, 20_000
CORNERS = [(miniport, protocol) for miniport in ("6", "5", "5-lookahead") for protocol in ("6", "5")]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """Run the command: (exit code, report, what it said)."""

    def run(miniport, protocol):
        file = tmp_path_factory.mktemp("live") / "report.json"
        command = [sys.executable, "-m", "hilnic", "live", "--pings", str(PINGS), "--bytes", str(OCTETS)]
        command += ["--miniport", miniport, "--protocol", protocol, "--json", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, json.loads(file.read_text()) if file.exists() else {}, done.stdout + done.stderr

    return run


@pytest.mark.simulator
@pytest.mark.parametrize(("miniport", "protocol"), CORNERS)
def test_the_kernel_pings_and_downloads_through_the_nic(live, miniport, protocol):
    code, report, said = live(miniport, protocol)
    if code in {Exit.IMPOSSIBLE, Exit.MISSING}:
        pytest.skip(f"hilnic live cannot run on this machine: {said.strip()}")
    assert code == Exit.PASSED, said
    assert (report["miniport"], report["protocol"]) == (miniport, protocol)
    assert (report["ping"]["sent"], report["ping"]["received"]) == (PINGS, PINGS)
    assert (report["download"]["octets"], report["download"]["equal"]) == (OCTETS, True)
    assert all(report["checks"].values())
