# SPDX-License-Identifier: Apache-2.0
"""docs/signalling.md says what the tables say."""

import importlib.util
from pathlib import Path


def test_the_documentation_is_fresh(project: Path) -> None:
    path = project / "tools" / "gen_signalling_docs.py"
    spec = importlib.util.spec_from_file_location("gen_signalling_docs", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.main(["--check"]) == 0, "run tools/gen_signalling_docs.py"
