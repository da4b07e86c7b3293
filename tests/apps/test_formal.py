# SPDX-License-Identifier: Apache-2.0
"""hilnic formal: the list is complete; a false claim, a gap, an unreached state and an unnoticed mutant are told."""

import json
import re
import shutil
from pathlib import Path

import pytest

from hilnic import toolchain
from hilnic.apps import formal, formal_proofs
from hilnic.apps.formal_proofs import BOUNDED, INDUCTION, Mutant, Proof, ProofError
from hilnic.apps.outcome import Exit, Stop

needs_solver = pytest.mark.skipif(
    any(shutil.which(tool, path=toolchain.environment()["PATH"]) is None for tool in formal.TOOLS),
    reason="yosys and z3 are not installed (make formal installs them)",
)
PROOFS = formal_proofs.load()


def text_of(project: Path, proof: Proof) -> str:
    return (project / proof.harness).read_text()


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_the_harness_asserts_the_claims_and_helpers_alone(project: Path, proof: Proof) -> None:
    labels = re.findall(r"(\w+): assert \(", text_of(project, proof))
    assert sorted(label for label in labels if not label.startswith("inv_")) == sorted(proof.claims)
    assert len(labels) == len(set(labels)) == len(re.findall(r"\bassert\b", text_of(project, proof)))


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_the_harness_names_a_state_to_reach(project: Path, proof: Proof) -> None:
    assert re.search(r"\w+: cover \(", text_of(project, proof))


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_every_claim_has_a_mutant_of_the_block_as_it_is_now(project: Path, proof: Proof) -> None:
    assert {mutant.breaks for mutant in proof.mutants} == set(proof.claims)
    assert all(mutant.file in proof.files and mutant.damaged(project) for mutant in proof.mutants)


def test_every_harness_stands_in_the_list(project: Path) -> None:
    named = {file for proof in PROOFS for file in (proof.harness, *proof.files)}
    assert {f"hdl/formal/{file.name}" for file in (project / "hdl" / "formal").glob("*.sv")} <= named


def test_a_claim_without_a_mutant_is_refused(tmp_path: Path) -> None:
    numbers = 'method="induction"\ndepth=1\ncover_depth=1\n'
    entry = f'[[proof]]\nname="x"\nfiles=[]\n{numbers}claims={{c="it holds"}}\nmutant=[]\n'
    (tmp_path / "proofs.toml").write_text(entry)
    with pytest.raises(ProofError, match="'c'"):
        formal_proofs.load(tmp_path / "proofs.toml")


def test_a_mutant_whose_place_has_moved_is_refused(project: Path) -> None:
    with pytest.raises(ProofError, match="stands 0 times"):
        Mutant("gone", "hdl/common/fifo.sv", "no such text", "", "order").damaged(project)


def test_an_unknown_proof_is_a_usage_error() -> None:
    with pytest.raises(Stop, match="no proof is called 'nosuch'") as stopped:
        formal.run(["nosuch"])
    assert stopped.value.code == Exit.USAGE


def test_a_missing_solver_is_3_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formal, "TOOLS", ("no-such-solver",))
    with pytest.raises(Stop, match="no-such-solver not installed: `make formal`") as stopped:
        formal.run(["fifo"])
    assert stopped.value.code == Exit.MISSING


# With yosys and z3, on a counter -------------------------------------------------------------------------------------

COUNTER = """module counter (input wire clk_i, input wire go_i, output logic [3:0] n_o);
  initial n_o = 0;
  always_ff @(posedge clk_i) if (go_i) n_o <= n_o == 4'd9 ? 4'd0 : n_o + 4'd1;
endmodule
"""
HARNESS = """module counter_proof (input wire clk_i, input wire go_i);
  logic [3:0] n;
  counter u_dut (.clk_i, .go_i, .n_o(n));
  always_ff @(posedge clk_i) begin
    claim: assert (CLAIM);
    seen: cover (COVER);
  end
endmodule
"""
WRAPS = Mutant("wraps later", "counter.sv", "4'd9 ?", "4'd10 ?", "claim")


def result(tmp_path: Path, monkeypatch, claim="n <= 4'd9", cover="n == 4'd9", mutant=WRAPS, method=INDUCTION, depth=2):
    monkeypatch.setattr(formal_proofs.sources, "root", lambda: tmp_path)
    (tmp_path / "hdl" / "formal").mkdir(parents=True)
    (tmp_path / "counter.sv").write_text(COUNTER)
    (tmp_path / "hdl" / "formal" / "counter.sv").write_text(HARNESS.replace("CLAIM", claim).replace("COVER", cover))
    proof = Proof("counter", ("counter.sv",), method, depth, 14, {"claim": "it counts to nine"}, (mutant,))
    return formal.prove(proof, tmp_path / "build")


@needs_solver
def test_a_true_claim_is_proved(tmp_path, monkeypatch) -> None:
    found = result(tmp_path, monkeypatch)
    assert (found.outcome, found.problems) == ("proved (k = 2)", [])
    assert (found.covers, found.mutants) == (["seen"], ["wraps later"])


@needs_solver
def test_a_false_claim_leaves_its_waveform(tmp_path, monkeypatch) -> None:
    found = result(tmp_path, monkeypatch, claim="n <= 4'd2", depth=8)
    assert found.outcome == "fails in cycle 4"
    assert "claim" in found.problems[0]
    assert (tmp_path / "build" / "counterexample.vcd").exists()


@needs_solver
def test_no_induction_no_state_reached_and_a_mutant_unnoticed_are_problems(tmp_path, monkeypatch) -> None:
    dull = Mutant("wraps earlier", "counter.sv", "4'd9 ?", "4'd5 ?", "claim")
    found = result(tmp_path, monkeypatch, claim="n <= 4'd8", cover="n == 4'd12", mutant=dull)
    gap, unreached, none, unnoticed = found.problems
    assert found.outcome == "no counterexample in 2 cycles"
    assert "no induction up to k = 2 over claim" in gap
    assert (unreached, none) == ("seen is not reached in 14 cycles", "no cover statement was reached")
    assert unnoticed == "mutant 'wraps earlier': claim still holds"


# With a solver that says what the test wants --------------------------------------------------------------------------


def test_a_bounded_check_does_not_call_itself_a_proof(tmp_path, monkeypatch) -> None:
    asked = []
    models = formal_proofs.Models(Path("proof"), Path("cover"), ())
    monkeypatch.setattr(formal, "translate", lambda *_: models)
    monkeypatch.setattr(
        formal, "ask", lambda *question: asked.append(question) or formal.Answer(True, reached=["seen"])
    )
    found = formal.prove(Proof("x", (), BOUNDED, 30, 9, {"claim": "it holds"}, ()), tmp_path)
    assert (found.outcome, found.problems) == ("no counterexample in 30 cycles", [])
    assert not any("-i" in question for question in asked)


@pytest.mark.parametrize(
    ("problems", "code", "last"), [([], 0, "1 passed, 0 failed"), (["no"], 1, "0 passed, 1 failed")]
)
def test_the_command_ends_with_its_count(tmp_path, monkeypatch, capsys, problems, code, last) -> None:
    monkeypatch.setattr(formal, "TOOLS", ())
    monkeypatch.setattr(
        formal, "prove", lambda proof, _: formal.Result(proof.name, "bounded", 3, [], problems=problems)
    )
    assert formal.run(["fifo"], tmp_path / "formal.json") == code
    report = json.loads((tmp_path / "formal.json").read_text())
    assert (report["schema"], report["failed"]) == ("hilnic.formal/1", code)
    assert re.fullmatch(rf"{last}, 0 skipped in [\d.]+ s", capsys.readouterr().out.splitlines()[-1])


def test_no_answer_is_a_problem_of_that_proof_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(formal, "translate", lambda *_: formal.parse("unknown option", Path("proof.smt2")))
    found = formal.attempt(PROOFS[0], tmp_path)
    assert found.outcome == "no answer"
    assert found.problems == ["proof.smt2: smtbmc says: unknown option"]
