# SPDX-License-Identifier: Apache-2.0
"""The `hilnic` command line: exit codes, options, quick start."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from hilnic import __version__, cli
from hilnic.apps.outcome import Exit, Stop


def hilnic(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hilnic", *arguments], capture_output=True, text=True, check=False)


def test_version_is_printed() -> None:
    done = hilnic("--version")
    assert (done.returncode, done.stdout) == (0, f"hilnic {__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["doctor", "--nonsense"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert hilnic(*arguments).returncode == Exit.USAGE


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["condis", "x", "--cm", "foo"], "Invalid value for '--cm': 'foo' is not one of 'stand-alone', 'integrated'."),
        (["condis", "x", "--burst", "10k"], "Invalid value for '--burst': '10k' is no whole number."),
        (["sim", "-j", "0"], "Invalid value for '--jobs' / '-j': 0 is too little: at least 1."),
        (["bench", "--size", "9999"], "Invalid value for '--size': 9999 is too much: at most 9018."),
    ],
)
def test_a_bad_value_is_told_in_a_sentence(arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "200"})
    assert done.exit_code == Exit.USAGE
    assert sentence in done.output


def test_help_loads_no_app_and_no_simulator() -> None:
    script = "import sys, hilnic.cli; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"numpy", "cocotb", "cocotb_tools", "scapy", "hilnic.apps.doctor", "hilnic.ndis"}


@pytest.mark.parametrize("outcome", list(Exit))
def test_the_apps_outcome_is_the_exit_code(monkeypatch: pytest.MonkeyPatch, outcome: Exit) -> None:
    assert call_doctor(monkeypatch, lambda **_: outcome) == outcome


def test_a_stopped_app_says_its_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(**_: object) -> Exit:
        raise Stop(Exit.IMPOSSIBLE, "no network namespaces here")

    assert call_doctor(monkeypatch, stop) == Exit.IMPOSSIBLE
    assert capsys.readouterr().err == "hilnic: no network namespaces here\n"


def test_ctrl_c_is_said_and_ends_as_a_shell_expects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> Exit:
        raise KeyboardInterrupt

    assert call_doctor(monkeypatch, interrupted) == 128 + signal.SIGINT
    assert capsys.readouterr().err == "hilnic: interrupted\n"


def test_a_file_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    missing = tmp_path / "build" / "x"
    assert call_doctor(monkeypatch, lambda **_: missing.mkdir()) == Exit.USAGE
    assert capsys.readouterr().err == f"hilnic: {missing}: No such file or directory\n"


@pytest.mark.parametrize("file", [".", "no/such/folder/report.json"])
def test_a_report_that_cannot_be_written_is_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    seen: list[object] = []
    assert call_doctor(monkeypatch, lambda **options: seen.append(options) or Exit.PASSED, "--json", file) == Exit.USAGE
    assert seen == []
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["waves", "nosuch"], "no test is called 'nosuch'"),
        (["waves", "tour"], "means many tests"),
        (["sim", "tour.nosuch"], "no test is called 'tour.nosuch'"),
        (["synth", "nosuch"], "no target 'nosuch'"),
        (["formal", "nosuch"], "no proof is called 'nosuch'"),
    ],
)
def test_a_wrong_name_is_a_usage_error_that_names_it(arguments: list[str], word: str) -> None:
    done = hilnic(*arguments)
    assert done.returncode == Exit.USAGE
    assert word in done.stderr


def test_json_on_standard_output_stays_json_with_check() -> None:
    done = hilnic("rules", "--json", "--check")
    assert json.loads(done.stdout)["schema"] == "hilnic.rules/1"
    assert "gaps" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "file"),
    [(["--json"], "-"), (["--json", "-"], "-"), (["--json", "report.json"], "report.json"), ([], None)],
)
def test_json_without_a_file_means_standard_output(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], file: str | None
) -> None:
    seen: dict[str, object] = {}
    call_doctor(monkeypatch, lambda **options: seen.update(options) or Exit.PASSED, *arguments)
    assert seen == {"json": Path(file) if file else None}


def call_doctor(monkeypatch: pytest.MonkeyPatch, run: object, *arguments: str) -> int:
    """Exit code of `hilnic doctor ARGUMENTS` with `run` in the place of the app's."""
    app = ModuleType("hilnic.apps.doctor")
    app.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, app.__name__, app)
    monkeypatch.setattr(sys, "argv", ["hilnic", "doctor", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)
