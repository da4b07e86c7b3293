# SPDX-License-Identifier: Apache-2.0
"""The checks of the conformance suite, by subject; `hilnic.testing.check_device` runs them."""
