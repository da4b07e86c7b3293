# SPDX-License-Identifier: Apache-2.0
"""`CoBench`: a host with a functional CoNDIS miniport, a call manager of either kind, and clients, over virtual time.

bench = CoBench(kind="cm")                     or "mcm"
call = bench.client.make_call()
call.send(bench.frame());  bench.data(call).complete_all()
bench.end(call);  bench.stop()
"""

from __future__ import annotations

from typing import Any, Literal

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallParameters, FlowSpec, MediaFlags
from hilnic.testing.bench import NdisBench
from hilnic.testing.co_calls import Call
from hilnic.testing.co_client import FunctionalCoClient
from hilnic.testing.co_cm import FunctionalCallManager, ManagedVc, Signalling
from hilnic.testing.co_mcm import FunctionalMcm
from hilnic.testing.co_miniport import FunctionalCoMiniport

__all__ = ["CoBench", "CoKind", "call_parameters"]

CoKind = Literal["cm", "mcm"]


def call_parameters(rate: int = 1_000_000, flags: int = 0, receives: bool = True) -> CallParameters:
    """Call parameters with a token rate in bytes per second; a VC that only sends has `receives` False."""
    flow = FlowSpec(token_rate=rate, token_bucket_size=3000, max_sdu_size=1514)
    media = condis.MediaParameters(flags=MediaFlags.TRANSMIT_VC | (MediaFlags.RECEIVE_VC if receives else 0))
    return CallParameters(flags, condis.CallManagerParameters(flow, flow), media)


class CoBench(NdisBench):
    """An NdisBench whose miniport carries VCs: `client` the first client, `signalling` the call manager's script."""

    def __init__(
        self,
        kind: CoKind = "cm",
        clients: int = 1,
        co_miniport: type[Any] | None = None,
        client: type[Any] = FunctionalCoClient,
        signals: type[Signalling] = Signalling,
        **options: Any,
    ) -> None:
        self.kind = kind
        miniport = co_miniport or (FunctionalMcm if kind == "mcm" else FunctionalCoMiniport)
        if kind == "mcm":
            miniport = type("Mcm", (miniport,), {"signals": signals})
        super().__init__(miniport=miniport, **options)
        self.cm: FunctionalCallManager | None = None
        if kind == "cm":
            manager = type("CallManager", (FunctionalCallManager,), {"signals": signals})
            self.cm = self.add(manager(self.ndis))
        self.clients: list[Any] = [self.add(client(self.ndis, f"client{n}")) for n in range(clients)]

    @property
    def client(self) -> Any:
        """The first client: a FunctionalCoClient, or one of NDIS 5."""
        return self.clients[0]

    @property
    def co(self) -> Any:
        """The miniport as what it is: a FunctionalCoMiniport, or one of NDIS 5."""
        return self.fm

    @property
    def signalling(self) -> Signalling:
        """The call manager's script."""
        if self.cm is not None:
            return self.cm.signalling
        signalling: Signalling = self.co.signalling
        return signalling

    def data(self, call: Call) -> Any:
        """The miniport's state of a call's VC: a CoVc, or a CoVc5."""
        return next(vc for vc in self.co.vcs if vc.handle.vc is call.open.vc)

    def managed(self, call: Call) -> ManagedVc:
        """The call manager's state of a call's VC."""
        return next(vc for vc in self.signalling.vcs if vc.open.vc is call.open.vc)

    def incoming(self, sap: bytes = b"here", parameters: CallParameters | None = None) -> Any:
        """A call that somebody makes to the first client, accepted or refused as its script says."""
        if not any(each.sap.sap == sap for each in self.client.saps):
            assert self.client.register_sap(sap).status is NdisStatus.SUCCESS
        before = list(self.client.calls)
        self.signalling.offer(sap, parameters)
        return next(call for call in self.client.calls if call not in before)

    def end(self, call: Call) -> None:
        """Close a call, let everything run, and delete the VC if it is the client's."""
        call.close()
        self.run()
        if call.is_own:
            call.delete()

    def stop(self) -> None:
        """End what calls there are, close the address families, halt, and report what leaked."""
        self.run()
        for client in self.clients:
            self._close(client)
        super().stop()

    def _close(self, client: Any) -> None:
        for call in list(client.calls):
            if call.is_connected:
                self.data(call).complete_all()
                if call.held:
                    call.give_back()
                self.end(call)
            elif call.is_own:
                call.delete()
            self.run()
        for sap in list(client.saps):
            if sap.handle is not None:
                client.deregister_sap(sap)
        if client.af is not None:
            client.close_family()
        self.run()
