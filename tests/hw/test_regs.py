# SPDX-License-Identifier: Apache-2.0
"""The generated register map: fresh, consistent, compilable, and the only place that knows an offset."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hilnic.hw import regs, regs_table

GENERATED = {"regs.py", "regs_table.py", "descriptors.py"}


@pytest.fixture(scope="module")
def generator(project: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_regs", project / "tools/gen_regs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gen_regs"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def contract(generator: ModuleType) -> dict[str, Any]:
    loaded: dict[str, Any] = generator.load()
    return loaded


def test_the_generated_files_are_fresh(generator: ModuleType, contract: dict[str, Any]) -> None:
    assert generator.stale(generator.render(contract)) == []


def test_a_changed_generated_file_is_stale(
    generator: ModuleType, contract: dict[str, Any], project: Path, tmp_path: Path
) -> None:
    outputs = generator.render(contract)
    for path in outputs:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / path, tmp_path / path)
    package = tmp_path / "hdl/regs/nic_1g_pkg.sv"
    package.write_text(package.read_text().replace("32'd", "32'h").replace("24'h000040", "24'h000044"))
    assert generator.stale(outputs, tmp_path) == ["hdl/regs/nic_1g_pkg.sv"]


def test_tx_and_rx_pages_have_the_same_layout(contract: dict[str, Any]) -> None:
    tx, rx = ([(r.name, r.offset, r.mask) for r in contract[page]] for page in ("tx_page", "rx_page"))
    assert tx == rx


def test_no_two_registers_share_an_address() -> None:
    offsets = [offset for _, offset, _ in regs_table.built_registers(2048, 2048, 2048)]
    assert len(set(offsets)) == len(offsets)


def test_fields_of_a_register_do_not_overlap() -> None:
    for name, _, register in regs_table.built_registers(1, 1, 1):
        union = 0
        for f in register.fields:
            assert not union & f.mask, name
            union |= f.mask
        assert union < 1 << 32


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (regs.rx_page(3) + regs.QUEUE_BUF_SIZE, 0x180334),
        (regs.rx_rearm(2047), 0x207FFC),
        (regs.vc_counter(2047, regs.VcCounter.TX_WAITS), 0x2BFFE8),
        (regs.tx_counter(regs.TxCounter.LOOPBACK_FRAMES), 0x498),
        (regs.rx_counter(regs.RxCounter.CRC_ALIGN_ERRORS), 0x718),
        (regs.exact_hi(31), 0x1FC),
        (regs.MAC_CFG_HOST_FCS, 1 << 10),
        (regs.Cause.BAD_CONFIG, 35),
    ],
)
def test_constants_stand_where_the_datasheet_puts_them(value: int, expected: int) -> None:
    assert value == expected


def test_reset_values_are_those_of_the_datasheet() -> None:
    resets = {r.name: r.reset for r in regs_table.GLOBAL}
    assert resets["id"] == int.from_bytes(b"HNIC", "big") == regs.ID_VALUE
    assert resets["caps0"] == 0x0F08_0404
    assert resets["mac_cfg"] == 12
    assert resets["max_frame"] == 1518


def test_the_package_compiles_in_icarus(project: Path, tmp_path: Path) -> None:
    iverilog = shutil.which("iverilog")
    if iverilog is None:
        pytest.skip("iverilog is not installed (make setup installs it)")
    user = tmp_path / "user.sv"
    user.write_text("module user(output logic [23:0] o); assign o = nic_1g_pkg::CTRL_OFFSET; endmodule\n")
    command = [
        iverilog,
        "-g2012",
        "-Wall",
        "-o",
        str(tmp_path / "o"),
        str(project / "hdl/regs/nic_1g_pkg.sv"),
        str(user),
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""


def test_the_c_header_compiles_and_its_structs_have_the_right_size(project: Path, tmp_path: Path) -> None:
    gcc = shutil.which("gcc") or shutil.which("cc")
    if gcc is None:
        pytest.skip("no C compiler is installed (make setup installs one)")
    unit = tmp_path / "unit.c"
    unit.write_text(
        '#include "nic_1g.h"\n'
        "typedef char tx[sizeof(struct nic_tx_descriptor) == 16 ? 1 : -1];\n"
        "typedef char rx[sizeof(struct nic_rx_descriptor) == 16 ? 1 : -1];\n"
        "typedef char cpl[sizeof(struct nic_completion) == 32 ? 1 : -1];\n"
    )
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]
    subprocess.run([gcc, *flags, "-I", str(project / "hdl/regs"), str(unit)], check=True)


def literals_in_accesses(tree: ast.AST) -> list[int]:
    """Integers of 8 and more in the offset of a read32 or write32 call: an offset by hand."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.args]
    offsets = [call.args[0] for call in calls if call.func.attr in {"read32", "write32"}]
    return [value for offset in offsets for value in constants_in(offset) if value >= 8]


def constants_in(node: ast.AST) -> list[int]:
    """Integers of an expression, without those that are arguments of a call (a queue's or an entry's number)."""
    if isinstance(node, ast.Call):
        return []
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, int) else []
    return [value for child in ast.iter_child_nodes(node) for value in constants_in(child)]


def test_no_other_module_holds_an_offset_or_a_layout(project: Path) -> None:
    formats = {"<QHBBI", "<IHBBHBBIQBBHI"}
    pages = {regs.TX_PAGES, regs.RX_PAGES, regs.TX_DOORBELL, regs.RX_DOORBELL, regs.TX_REARM, regs.RX_REARM}
    found = []
    for file in sorted((project / "host/hilnic").rglob("*.py")) + sorted((project / "tb").rglob("*.py")):
        tree = ast.parse(file.read_text())
        constants = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        if file.name not in GENERATED and (literals_in_accesses(tree) or constants & formats):
            found.append(str(file.relative_to(project)))
        drivers = {"miniport", "model", "testing", "cosim"} & set(file.relative_to(project).parts)
        numbers = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, int)}
        if drivers and numbers & (pages - {regs.TX_PAGES, regs.TX_DOORBELL}):  # 0x100000 is also 1 MiB, 0x200000 2 MiB
            found.append(str(file.relative_to(project)))
    assert found == []


def test_the_check_for_offsets_sees_one() -> None:
    assert literals_in_accesses(ast.parse("device.write32(0x30000 + 4 * queue, 1)")) == [0x30000]
