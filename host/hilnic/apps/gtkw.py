# SPDX-License-Identifier: Apache-2.0
"""The view of a waveform that GTKWave opens: groups from the host to the wire, state names, indices in decimal.

The rows are a table of signals relative to one card; states get their names from the `typedef enum` of the module that
they live in, so that neither is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hilnic import sources

__all__ = ["GROUPS", "Row", "write_view"]

_ENUM = re.compile(r"typedef enum logic \[(\d+):0\] \{(.*?)\}\s*(\w+);", re.DOTALL)
_TOP = "tb_nic"


@dataclass(frozen=True, slots=True)
class Row:
    """One signal: its path below the NIC, its width, how it is shown; `states` names the module of an enum."""

    path: str
    width: int = 1
    radix: str = "hex"
    label: str = ""
    states: str = ""


def _state(path: str, module: str, width: int, label: str) -> Row:
    return Row(f"{path}.state_q", width, "bin", label, module)


GROUPS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "CSR",
        (
            _state("u_csr", "nic/csr", 3, "csr"),
            Row("s_axil_awvalid"), Row("s_axil_awaddr", 24), Row("s_axil_wdata", 32),
            Row("s_axil_arvalid"), Row("s_axil_araddr", 24), Row("s_axil_rvalid"), Row("s_axil_rdata", 32),
        ),
    ),
    (
        "TX queue",
        (
            Row("u_queue_ctrl.tx_db_valid_o", label="doorbell"),
            Row("u_queue_ctrl.bell_index_o", 32, "dec", "doorbell index"),
            _state("u_desc_fetch_tx.u_plan", "nic/desc_plan", 3, "fetch"),
            _state("u_tx_path.u_frame", "nic/tx_frame", 4, "frame"),
            Row("u_tx_path.u_frame.queue_q", 6, "dec", "queue"),
            Row("u_tx_path.u_frame.index_q", 32, "dec", "descriptor index"),
        ),
    ),
    (
        "DMA",
        (
            Row("m_axi_arvalid"), Row("m_axi_arready"), Row("m_axi_arid", 4, "dec"), Row("m_axi_araddr", 64),
            Row("m_axi_rvalid"), Row("m_axi_rid", 4, "dec"), Row("m_axi_rlast"),
            Row("m_axi_awvalid"), Row("m_axi_awready"), Row("m_axi_awid", 4, "dec"), Row("m_axi_awaddr", 64),
            Row("m_axi_wvalid"), Row("m_axi_wlast"), Row("m_axi_bvalid"), Row("m_axi_bid", 4, "dec"),
        ),
    ),
    (
        "MAC",
        (
            _state("u_mac_port.u_mac.u_tx", "mac/eth_mac_1g_tx", 3, "transmitter"),
            _state("u_mac_port.u_mac.u_rx", "mac/eth_mac_1g_rx", 3, "receiver"),
        ),
    ),
    (
        "GMII",
        (
            Row("gmii_tx_en_o"), Row("gmii_txd_o", 8), Row("gmii_tx_er_o"),
            Row("gmii_rx_dv_i"), Row("gmii_rxd_i", 8), Row("gmii_rx_er_i"),
        ),
    ),
    (
        "RX queue",
        (
            _state("u_desc_fetch_rx.u_plan", "nic/desc_plan", 3, "fetch"),
            _state("u_rx_path.u_writer", "nic/rx_writer", 4, "writer"),
            Row("u_rx_path.u_writer.queue_q", 6, "dec", "queue"),
            Row("u_rx_path.u_writer.pop_index_i", 32, "dec", "descriptor index"),
        ),
    ),
    (
        "Completions",
        (
            _state("u_completer", "nic/completer", 3, "completer"),
            Row("u_completer.vis_queue_o", 6, "dec", "queue"),
            Row("u_completer.vis_index_o", 32, "dec", "visible index"),
            Row("irq_o", 8, "bin", "interrupts"),
        ),
    ),
)  # fmt: skip


def _names(module: str) -> tuple[int, tuple[str, ...]]:
    """Bits and names of the states of a module, in the order of their values."""
    text = (sources.root() / "hdl" / f"{module}.sv").read_text(encoding="utf-8")
    for top_bit, body, name in _ENUM.findall(text):
        if name in {"state_e", "state_t"}:
            states = [re.sub(r"//.*", "", line).strip(" ,\t") for line in body.splitlines()]
            return int(top_bit) + 1, tuple(state for state in states if state)
    raise LookupError(f"hdl/{module}.sv declares no states")


def _translation(module: str, folder: Path) -> Path:
    """GTKWave's translation file for the states of a module."""
    bits, states = _names(module)
    path = folder / f"{module.replace('/', '_')}.states"
    rows = [f"{value:0{bits}b} {name.removeprefix('St')}" for value, name in enumerate(states)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _full(card: int, row: Row) -> str:
    suffix = f"[{row.width - 1}:0]" if row.width > 1 else ""
    return f"{_TOP}.gen_card[{card}].u_card.u_nic.{row.path}{suffix}"


def write_view(wave: Path, view: Path, cards: Sequence[int] = (0,)) -> None:
    """Write `view` (.gtkw) for the waveform `wave`; the translation files go beside it."""
    from vcd.gtkw import GTKWColor, GTKWSave  # the extra `waves`

    translations: dict[str, Path] = {}
    with view.open("w", encoding="utf-8") as stream:
        save = GTKWSave(stream)
        save.dumpfile(str(wave.resolve()), abspath=True)
        save.size(1600, 1000)
        save.signals_width(240)
        save.sst_expanded(False)
        with save.group("Host"):
            save.trace(f"{_TOP}.events[511:0]", alias="events", datafmt="ascii", color=GTKWColor.yellow)
            save.trace(f"{_TOP}.calls[511:0]", alias="calls", datafmt="ascii", color=GTKWColor.yellow)
        for card in cards:
            for name, rows in GROUPS:
                with save.group(name if len(cards) == 1 else f"card {card}: {name}"):
                    for row in rows:
                        if row.states and row.states not in translations:
                            translations[row.states] = _translation(row.states, view.parent)
                        file = str(translations[row.states].resolve()) if row.states else None
                        save.trace(_full(card, row), row.label or None, datafmt=row.radix, translate_filter_file=file)
