# SPDX-License-Identifier: Apache-2.0
"""The plain registers of the whole NIC: values behind the generated table's masks. What a write causes is in `nic`."""

from hilnic.hw import regs
from hilnic.hw.regs_table import EXACT, GLOBAL, Access, Register
from hilnic.model.build import Build

_KEPT_BY_SOFT_RESET = frozenset({regs.SCRATCH})


def _expanded() -> dict[int, Register]:
    table = {r.offset: r for r in GLOBAL}
    table.update({r.offset + r.stride * i: r for r in EXACT for i in range(r.count)})
    return table


class Registers:
    """Offset -> value, for global registers and the exact filter table."""

    _table = _expanded()

    def __init__(self, build: Build) -> None:
        self._built = build.register_values()
        self._values: dict[int, int] = {}
        self.reset(hard=True)

    def __contains__(self, offset: int) -> bool:
        return offset in self._table

    def __repr__(self) -> str:
        """Those that differ from reset."""
        changed = [f"{self._table[o].name}=0x{v:x}" for o, v in self._values.items() if v != self._after_reset(o)]
        return f"<Registers {' '.join(changed)}>"

    def _after_reset(self, offset: int) -> int:
        return self._built.get(offset, self._table[offset].reset)

    def reset(self, *, hard: bool = False) -> None:
        """Back to the values after reset; a soft one keeps SCRATCH."""
        for offset in self._table:
            if hard or offset not in _KEPT_BY_SOFT_RESET:
                self._values[offset] = self._after_reset(offset)

    def value(self, offset: int) -> int:
        """The stored value."""
        return self._values[offset]

    def store(self, offset: int, value: int) -> None:
        """What the hardware puts there."""
        self._values[offset] = value

    def write(self, offset: int, value: int) -> None:
        """What software writes, as each field's access says."""
        register, old = self._table[offset], self._values[offset]
        plain, clearing, setting = (register.mask(a) for a in (Access.RW, Access.W1C, Access.W1S))
        self._values[offset] = (old & ~plain | value & plain) & ~(value & clearing) | value & setting
