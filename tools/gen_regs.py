#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn hdl/regs/nic_1g.rdl into the constants of every language (`make regs`; `gen_regs.py --check` proves them fresh).

Reads the SystemRDL source with systemrdl-compiler into the small value types below and renders one jinja2 template per
output. The output depends on the source and the templates alone. Exit codes: 0 written (or fresh), 1 stale, 2 usage.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, FieldNode, Node, RegfileNode, RegNode

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "hdl/regs/nic_1g.rdl"
TEMPLATES = Path(__file__).resolve().parent / "gen_regs_templates"
OUTPUTS = {
    "nic_1g_pkg.sv.j2": "hdl/regs/nic_1g_pkg.sv",
    "nic_1g.h.j2": "hdl/regs/nic_1g.h",
    "regs.py.j2": "host/hilnic/hw/regs.py",
    "regs_table.py.j2": "host/hilnic/hw/regs_table.py",
    "descriptors.py.j2": "host/hilnic/hw/descriptors.py",
    "registers.md.j2": "docs/registers.md",
}


@dataclass(frozen=True)
class Member:
    name: str
    value: int
    desc: str


@dataclass(frozen=True)
class Enumeration:
    name: str
    members: tuple[Member, ...]
    width: int  # of the field that it encodes
    flags: bool


@dataclass(frozen=True)
class Field:
    name: str
    lsb: int
    width: int
    access: str
    reset: int
    live: bool
    built: bool
    enum: str
    desc: str

    @property
    def mask(self) -> int:
        return ((1 << self.width) - 1) << self.lsb

    @property
    def msb(self) -> int:
        return self.lsb + self.width - 1


@dataclass(frozen=True)
class Register:
    name: str
    offset: int
    access: str
    locked: bool
    desc: str
    fields: tuple[Field, ...]
    count: int = 1
    stride: int = 4

    @property
    def reset(self) -> int:
        return sum(f.reset << f.lsb for f in self.fields)

    @property
    def mask(self) -> int:
        return sum(f.mask for f in self.fields)

    @property
    def write_mask(self) -> int:
        return sum(f.mask for f in self.fields if f.access != "RO")

    @property
    def whole(self) -> bool:
        """One field fills the register: field constants would say nothing."""
        return len(self.fields) == 1 and self.fields[0].name in {"value", "index", "buckets"}


@dataclass(frozen=True)
class Counter:
    name: str
    index: int
    adds: str
    desc: str


@dataclass(frozen=True)
class Unit:
    """A naturally aligned piece of a layout that one native load or store moves."""

    name: str
    lsb: int
    size: int  # in bytes
    fields: tuple[Field, ...]

    @property
    def whole(self) -> bool:
        return len(self.fields) == 1 and self.fields[0].width == 8 * self.size


@dataclass(frozen=True)
class Layout:
    name: str
    size: int  # in bytes
    desc: str
    fields: tuple[Field, ...]
    units: tuple[Unit, ...]

    @property
    def reserved(self) -> int:
        return ((1 << 8 * self.size) - 1) & ~sum(f.mask for f in self.fields)

    @property
    def struct(self) -> str:
        return "<" + "".join({1: "B", 2: "H", 4: "I", 8: "Q"}[u.size] for u in self.units)


def access_of(node: FieldNode) -> str:
    """Two letters of the field's access: RO, RW, WO, W1C (write one to clear), W1S (write one to set)."""
    if node.get_property("onwrite") is not None:
        return {"woclr": "W1C", "woset": "W1S"}[node.get_property("onwrite").name]
    return {"r": "RO", "rw": "RW", "w": "WO"}[node.get_property("sw").name]


def text(node: Node) -> str:
    return " ".join((node.get_property("desc") or "").split())


def field_of(node: FieldNode) -> Field:
    encode = node.get_property("encode")
    return Field(
        name=node.inst_name,
        lsb=node.lsb,
        width=node.width,
        access=access_of(node),
        reset=node.get_property("reset") or 0,
        live=bool(node.get_property("live", default=False)),
        built=bool(node.get_property("built", default=False)),
        enum=encode.type_name if encode else "",
        desc=text(node),
    )


def register_of(node: RegNode, offset: int, name: str = "", count: int = 1, stride: int = 4) -> Register:
    fields = tuple(field_of(f) for f in node.fields())
    kinds = {f.access for f in fields}
    access = kinds.pop() if len(kinds) == 1 else "RW" if "RW" in kinds else "mixed"
    locked = bool(node.get_property("locked", default=False))
    return Register(name or node.inst_name, offset, access, locked, text(node), fields, count, stride)


def registers_under(node: RegfileNode, base: int) -> list[Register]:
    """The registers of a page, without its 64-bit counters."""
    found = []
    for child in node.children(unroll=False):
        if child.inst_name == "counter":
            continue
        offset = base + child.raw_address_offset
        found += registers_under(child, offset) if isinstance(child, RegfileNode) else [register_of(child, offset)]
    return found


def enumerations(*tops: AddrmapNode) -> list[Enumeration]:
    """Every enum that some field is encoded by, in the order of first use."""
    seen: dict[str, Enumeration] = {}
    for top in tops:
        for node in top.descendants(unroll=False):
            encode = node.get_property("encode") if isinstance(node, FieldNode) else None
            if encode and encode.type_name not in seen:
                members = tuple(Member(m.name, m.value, m.rdl_desc or "") for m in encode)
                flags = bool(node.get_property("flags", default=False))
                seen[encode.type_name] = Enumeration(encode.type_name, members, node.width, flags)
    return list(seen.values())


def counters_of(node: RegfileNode) -> list[Counter]:
    regs = list(node.registers())
    return [Counter(r.inst_name, r.raw_address_offset // 8, r.get_property("adds"), text(r)) for r in regs]


def unit_at(lsb: int, fields: tuple[Field, ...]) -> Unit:
    """The unit that begins at `lsb`: a field that fills it, or the smallest one that cuts no field in two."""
    exact = [f for f in fields if f.lsb == lsb and f.width in {8, 16, 32, 64} and lsb % f.width == 0]
    if exact:
        return Unit(exact[0].name, lsb, exact[0].width // 8, (exact[0],))
    inside = [f for f in fields if lsb <= f.lsb < lsb + 64]
    if not inside and lsb % 64 == 0:
        return Unit(f"reserved_{lsb}", lsb, 8, ())
    for bits in (32, 16, 8) if not [f for f in inside if f.lsb < lsb + 32] else (8, 16, 32):
        held = tuple(f for f in fields if lsb <= f.lsb < lsb + bits)
        if lsb % bits == 0 and all(f.msb < lsb + bits for f in held):
            return Unit(f"bits_{lsb}" if held else f"reserved_{lsb}", lsb, bits // 8, held)
    raise ValueError(f"no unit fits at bit {lsb}")


def layout_of(node: RegNode) -> Layout:
    fields = tuple(field_of(f) for f in node.fields())
    width, units = node.get_property("regwidth"), []
    lsb = 0
    while lsb < width:
        units.append(unit_at(lsb, fields))
        lsb += 8 * units[-1].size
    return Layout(node.inst_name, width // 8, text(node), fields, tuple(units))


def snake_upper(name: str) -> str:
    """NumTxQueues -> NUM_TX_QUEUES, LargestRingLog2 -> LARGEST_RING_LOG2."""
    return "".join("_" + c if c.isupper() and i else c for i, c in enumerate(name)).upper()


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def load(source: Path = SOURCE) -> dict[str, Any]:
    """The whole contract as template variables."""
    compiler = RDLCompiler()
    compiler.compile_file(str(source))
    top: AddrmapNode = compiler.elaborate("nic_1g").top
    memory: AddrmapNode = compiler.elaborate("nic_1g_layouts").top
    children = {c.inst_name: c for c in top.children(unroll=False)}
    registers = [c for c in children.values() if isinstance(c, RegNode)]
    plain = [register_of(r, r.raw_address_offset) for r in registers if not r.is_array]
    bells = [
        register_of(r, r.raw_address_offset, count=r.n_elements, stride=r.array_stride) for r in registers if r.is_array
    ]
    exact = children["exact"]
    layouts = [layout_of(r) for r in memory.registers()]
    return {
        "parameters": {snake_upper(p.name): int(p.get_value()) for p in top.inst.parameters},
        "enums": enumerations(top, memory),
        "registers": plain,
        "exact": [
            register_of(r, exact.raw_address_offset + r.raw_address_offset, "exact_" + r.inst_name, exact.n_elements, 8)
            for r in exact.registers()
        ],
        "tx_counters": counters_of(children["tx_counter"]),
        "rx_counters": counters_of(children["rx_counter"]),
        "counter_bases": {n: children[f"{n}_counter"].raw_address_offset for n in ("tx", "rx")},
        "tx_page": registers_under(children["tx_queue"], 0),
        "rx_page": registers_under(children["rx_queue"], 0),
        "page_bases": {n: children[f"{n}_queue"].raw_address_offset for n in ("tx", "rx")},
        "page_stride": children["tx_queue"].array_stride,
        "most_queues": children["tx_queue"].array_dimensions[0],
        "vc_page": registers_under(children["vc"], 0),
        "vc_counters": counters_of(children["vc"].get_child_by_name("counter")),
        "vc_counter_base": children["vc"].get_child_by_name("counter").raw_address_offset,
        "vc_base": children["vc"].raw_address_offset,
        "vc_stride": children["vc"].array_stride,
        "most_vcs": children["vc"].array_dimensions[0],
        "doorbells": bells,
        "layouts": [x for x in layouts if x.name != "axi_ids"],
    }


def mask_of(counters: list[Counter], adds: str) -> int:
    return sum(1 << c.index for c in counters if c.adds == adds)


def render(context: dict[str, Any]) -> dict[str, str]:
    """Output path (relative to the root) -> text."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    env.filters.update(camel=camel, mask_of=mask_of, hex=lambda v, digits=1: f"0x{v:0{digits}X}")
    env.filters.update(svhex=lambda v, digits: f"{v:0{digits}x}")
    return {output: env.get_template(name).render(context) for name, output in OUTPUTS.items()}


def stale(outputs: dict[str, str], root: Path = ROOT) -> list[str]:
    """The outputs whose file on disk differs."""
    return [p for p, body in outputs.items() if not (root / p).is_file() or (root / p).read_text() != body]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a generated file is stale")
    options = parser.parse_args(argv)
    outputs = render(load())
    old = stale(outputs)
    for path in old:
        print(f"{'stale' if options.check else 'written'}: {path}")
        if not options.check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(outputs[path])
    return 1 if options.check and old else 0


if __name__ == "__main__":
    sys.exit(main())
