# SPDX-License-Identifier: Apache-2.0
"""The view of a waveform that GTKWave opens: groups from the host to the wire, state names, indices in decimal.

The rows are a table of signals relative to one card; their widths are those of the waveform, since many follow the
NIC's parameters, and states get their names from the `typedef enum` of the module that they live in.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hilnic import sources

__all__ = ["GROUPS", "Row", "write_view"]

_ENUM = re.compile(r"typedef enum logic \[(\d+):0\] \{(.*?)\}\s*(\w+);", re.DOTALL)
_TOP = "tb_nic"
_TRANSLATED = 0x2028  # GTKWave's flags of a binary value with a translation file
_ENUM_FLAG = 1 << 32
"""Show the enum that is in the waveform. With Verilator's it is, and GTKWave then shows no translation file."""


@dataclass(frozen=True, slots=True)
class Row:
    """One signal: its path below the NIC, how it is shown; `states` names the module of an enum."""

    path: str
    radix: str = "hex"
    label: str = ""
    states: str = ""


def _state(path: str, module: str, label: str) -> Row:
    return Row(f"{path}.state_q", "bin", label, module)


GROUPS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "CSR",
        (
            _state("u_csr", "nic/csr", "csr"),
            Row("s_axil_awvalid"), Row("s_axil_awaddr"), Row("s_axil_wdata"),
            Row("s_axil_arvalid"), Row("s_axil_araddr"), Row("s_axil_rvalid"), Row("s_axil_rdata"),
        ),
    ),
    (
        "TX queue",
        (
            Row("u_queue_ctrl.tx_db_valid_o", label="doorbell"),
            Row("u_queue_ctrl.bell_index_o", "dec", "doorbell index"),
            _state("u_desc_fetch_tx.u_plan", "nic/desc_plan", "fetch"),
            _state("u_tx_path.u_frame", "nic/tx_frame", "frame"),
            Row("u_tx_path.u_frame.queue_q", "dec", "queue"),
            Row("u_tx_path.u_frame.index_q", "dec", "descriptor index"),
        ),
    ),
    (
        "DMA",
        (
            Row("m_axi_arvalid"), Row("m_axi_arready"), Row("m_axi_arid", "dec"), Row("m_axi_araddr"),
            Row("m_axi_rvalid"), Row("m_axi_rid", "dec"), Row("m_axi_rlast"),
            Row("m_axi_awvalid"), Row("m_axi_awready"), Row("m_axi_awid", "dec"), Row("m_axi_awaddr"),
            Row("m_axi_wvalid"), Row("m_axi_wlast"), Row("m_axi_bvalid"), Row("m_axi_bid", "dec"),
        ),
    ),
    (
        "MAC",
        (
            _state("u_mac_port.u_mac.u_tx", "mac/eth_mac_1g_tx", "transmitter"),
            _state("u_mac_port.u_mac.u_rx", "mac/eth_mac_1g_rx", "receiver"),
        ),
    ),
    (
        "GMII",
        (
            Row("gmii_tx_en_o"), Row("gmii_txd_o"), Row("gmii_tx_er_o"),
            Row("gmii_rx_dv_i"), Row("gmii_rxd_i"), Row("gmii_rx_er_i"),
        ),
    ),
    (
        "RX queue",
        (
            _state("u_desc_fetch_rx.u_plan", "nic/desc_plan", "fetch"),
            _state("u_rx_path.u_writer", "nic/rx_writer", "writer"),
            Row("u_rx_path.u_writer.queue_q", "dec", "queue"),
            Row("u_rx_path.u_writer.pop_index_i", "dec", "descriptor index"),
        ),
    ),
    (
        "Completions",
        (
            _state("u_completer", "nic/completer", "completer"),
            Row("u_completer.vis_queue_o", "dec", "queue"),
            Row("u_completer.vis_index_o", "dec", "visible index"),
            Row("irq_o", "bin", "interrupts"),
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


def _widths(wave: Path) -> dict[str, int]:
    """Bits of every signal in the waveform (FST or VCD), by its full name."""
    from pywellen import Waveform  # the extra `waves`

    return {signal.full_name: signal.bitwidth or 1 for signal in Waveform(str(wave)).all_vars()}


def _full(card: int, row: Row) -> str:
    return f"{_TOP}.gen_card[{card}].u_card.u_nic.{row.path}"


def write_view(wave: Path, view: Path, cards: Sequence[int] = (0,), height: int = 1000) -> None:
    """Write `view` (.gtkw) for the waveform `wave`, with the rows that it has; the translation files go beside it.

    `height` of the window is in pixels.
    """
    from vcd.gtkw import GTKWColor, GTKWSave  # the extra `waves`

    widths = _widths(wave)
    translations: dict[str, Path] = {}
    with io.StringIO() as stream:
        save = GTKWSave(stream)
        save.dumpfile(str(wave.resolve()), abspath=True)
        save.size(1600, height)
        save.signals_width(240)
        save.sst_expanded(False)
        with save.group("Host"):
            for text in ("events", "calls"):
                signal = f"{_TOP}.{text}"
                if signal in widths:
                    save.trace(f"{signal}[{widths[signal] - 1}:0]", alias=text, datafmt="ascii", color=GTKWColor.yellow)
        for card in cards:
            for name, rows in GROUPS:
                with save.group(name if len(cards) == 1 else f"card {card}: {name}"):
                    for row in rows:
                        width = widths.get(_full(card, row))
                        if width is None:  # a bench without this part of the NIC
                            continue
                        if row.states and row.states not in translations:
                            translations[row.states] = _translation(row.states, view.parent)
                        file = str(translations[row.states].resolve()) if row.states else None
                        signal = _full(card, row) + (f"[{width - 1}:0]" if width > 1 else "")
                        save.trace(signal, row.label or None, datafmt=row.radix, translate_filter_file=file)
        text = stream.getvalue()
    view.write_text(text.replace(f"@{_TRANSLATED:x}\n", f"@{_TRANSLATED | _ENUM_FLAG:x}\n"), encoding="utf-8")
