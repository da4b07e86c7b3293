# SPDX-License-Identifier: Apache-2.0
"""What the commands run: one module per command, each with a `run(...)` that returns an exit code."""
