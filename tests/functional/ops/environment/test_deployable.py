"""The scripts of a deployment act on an environment whose files can be used, and on no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from environments import load
from ops.environment import account, deployable, teardown


@pytest.mark.parametrize("main", [account.main, teardown.main])
def test_a_fault_of_the_environments_file_is_named_without_a_traceback(
    main: Callable[[list[str]], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "dev.toml").write_text("region = 1\n")
    monkeypatch.setattr(deployable, "load", lambda name: load(name, tmp_path))
    assert main(["dev", "--yes"]) == 1
    assert "dev.toml: region" in capsys.readouterr().err
