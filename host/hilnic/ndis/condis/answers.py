# SPDX-License-Identifier: Apache-2.0
"""Operations that may pend: each is answered once, by a final status or by a completion, never by both (CC-21).

`subject.pending` holds the names of the operations of an AF, SAP, VC, call or party that have been begun and not ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.condis.handles import Machine


def answered(subject: Machine, operation: str, actor: Any, status: int) -> bool:
    """Whether a handler's answer ends the operation; PENDING does not, nor does one that has completed already."""
    if status == NdisStatus.PENDING:
        return False
    if operation not in subject.pending:
        subject.ndis.violation("CC-21", actor, subject, f"{operation}: answered and completed as well")
        return False
    subject.pending.discard(operation)
    return True


def completed(subject: Machine, operation: str, actor: Any, status: int) -> bool:
    """Whether a completion ends the operation: it pends, and the status is a final one."""
    if status == NdisStatus.PENDING:
        subject.ndis.violation("CC-21", actor, subject, f"{operation}: completed with PENDING")
        return False
    if operation not in subject.pending:
        subject.ndis.violation("CC-21", actor, subject, f"{operation}: completed, but it is not pending")
        return False
    subject.pending.discard(operation)
    return True
