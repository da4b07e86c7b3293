# SPDX-License-Identifier: Apache-2.0
"""Runs that build at once in one folder: one of them compiles, and nobody reads half of anything."""

import os
import subprocess
import sys
import textwrap

# a design that compiles in 50 ms and complains when another process is at it
COMMON = """
import os, sys, time
from pathlib import Path
from hilnic import toolchain
from hilnic.cosim import runner

def compile_slowly(built, files, includes, environment):
    built.folder.mkdir(exist_ok=True)
    with (built.folder / "busy").open("x"):
        time.sleep(0.05)
        built.program.write_text("compiled")
    (built.folder / "busy").unlink()
    with (built.folder.parent / "builds").open("a") as log:
        log.write(f"{os.getpid()}\\n")

def touch_late(path, touch=Path.touch):
    time.sleep(0.01)
    touch(path)

Path.touch = touch_late  # the moment between the build and its mark
toolchain.icarus_version = lambda: "0"
toolchain.environment = dict
runner.build_hostmem = lambda: Path("hostmem")
runner._build = compile_slowly
design = runner.Design("tb_nic", runner.ICARUS)
"""


def at_once(number, script, tmp_path):
    """Run a script in so many processes, which begin together; what they said."""
    environment = {**os.environ, "HILNIC_BUILD": str(tmp_path), "GATE": str(tmp_path / "go")}
    gate = "import os, time\nwhile not os.path.exists(os.environ['GATE']): time.sleep(0.001)\n"
    code = COMMON + "sys.stdout.write('here\\n'); sys.stdout.flush()\n" + gate + textwrap.dedent(script)
    command = [sys.executable, "-c", code]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    for process in started:
        assert process.stdout.readline() == "here\n"
    (tmp_path / "go").touch()
    ended = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * number, ended
    return [said for said, _ in ended]


def test_one_process_compiles_and_all_find_the_program(tmp_path):
    script = """
        for _ in range(5):
            built = runner.build(design)
            assert built.program.read_text() == "compiled"
    """
    at_once(4, script, tmp_path)
    assert len((tmp_path / "icarus" / "_builds" / "builds").read_text().splitlines()) == 1


def test_a_build_that_is_deleted_by_one_is_whole_for_the_others(tmp_path):
    script = """
        runner._IN_USE_S = -1.0
        for n in range(6):
            built = runner.build(runner.Design("tb_nic", runner.ICARUS, parameters=(("N", n % 3),)))
            runner._forget_old(built.folder.parent, keep=1)
    """
    at_once(3, script, tmp_path)
    assert not list((tmp_path / "icarus" / "_builds").glob("*/busy"))


def test_a_source_that_changes_while_it_is_compiled_is_no_build(tmp_path):
    script = """
        def contents(*_, texts=iter("ab")):
            return [next(texts)]
        runner._contents = contents
        try:
            runner.build(design)
        except runner.BuildFailed as failed:
            assert "changed while" in str(failed)
        else:
            raise AssertionError("it was kept")
    """
    at_once(1, script, tmp_path)
    assert not list((tmp_path / "icarus" / "_builds").glob("*/complete"))


def test_damaged_sources_are_never_half_there(tmp_path):
    script = """
        from hilnic import sources
        from hilnic.cosim import mutants
        wanted = {}
        for number, mutant in enumerate(mutants.load(), start=1):
            text = wanted.get(mutant.file) or (sources.root() / mutant.file).read_text(encoding="utf-8")
            wanted[mutant.file] = mutants.damage(text, mutant, number)
        for _ in range(15):
            for file, path in mutants.replaced():
                assert Path(path).read_text(encoding="utf-8") == wanted[file], path
    """
    at_once(3, script, tmp_path)
    assert not [path for path in (tmp_path / "mutants").glob("*/*") if path.suffix not in {".sv", ".v", ".vh", ".svh"}]


def test_threads_that_compile_the_c_library_at_once_do_not_take_each_others_file(tmp_path):
    script = """
        from concurrent.futures import ThreadPoolExecutor
        from hilnic.cosim import build_hostmem

        build_hostmem.FLAGS = ("-shared", "-fPIC")
        source, target = Path(os.environ["HILNIC_BUILD"]) / "one.c", Path(os.environ["HILNIC_BUILD"]) / "lib" / "one.so"
        source.write_text("int one(void) { return 1; }")
        with ThreadPoolExecutor(8) as pool:
            done = [pool.submit(build_hostmem._compile, (source,), (), target) for _ in range(8)]
        assert [future.exception() for future in done] == [None] * 8
        assert [file.name for file in target.parent.iterdir()] == [target.name]
        """
    at_once(1, script, tmp_path)
