# SPDX-License-Identifier: Apache-2.0
"""A miniport of one's own under the suites of `hilnic ndistest`: its hardware is its own, the kit gives it a wire.

The same from a shell: hilnic ndistest 2c stress reply --card port --miniport test_my_miniport:register
"""

import pytest

from hilnic import ndis
from hilnic.testing import MAC_ADDRESS, FunctionalMiniport

pytest_plugins = ["hilnic.testing.pytest_plugin"]


class MyMiniport(FunctionalMiniport):
    """Sends to the wire, indicates what comes from it, and tells when the cable is pulled."""

    def initialize(self, adapter):
        self.port = adapter.resources
        self.port.on_receive = lambda frame: self.indicate(frame) if self.running else None
        self.port.on_link = self.link
        return super().initialize(adapter)

    def send_net_buffer_lists(self, nbls, *_):
        for nbl in ndis.walk(nbls):
            for nb in nbl.net_buffers():
                self.port.transmit(nb.tobytes())
        ndis.complete_send_net_buffer_lists(self.adapter, nbls)


def register(host, number):
    return MyMiniport(host, f"mine{number}", MAC_ADDRESS[:5] + bytes([number + 1])).driver


@pytest.mark.parametrize("case", ["send_receive", "reply", "stress", "priority", "filter_matrix", "pause", "cable"])
def test_it_passes_the_suite_for_two_cards(ndistest, case):
    ndistest("2c", case, register, rounds=1)
