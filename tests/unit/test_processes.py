"""The supervisor gives up on a part that cannot start, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from payflux.cli.processes import PartFailed, Supervisor


def test_a_part_that_dies_right_after_every_start_is_given_up_with_a_sentence(tmp_path: Path) -> None:
    # a payflux that knows no command either, and says so at once
    (tmp_path / "payflux").mkdir()
    (tmp_path / "payflux" / "__init__.py").touch()
    (tmp_path / "payflux" / "__main__.py").write_text("raise SystemExit(2)")
    restarts: list[tuple[str, int]] = []
    supervisor = Supervisor(
        {"PYTHONPATH": str(tmp_path)}, on_restart=lambda command, code: restarts.append((command, code))
    )
    supervisor.start("no-such-command")

    def check_until_given_up() -> None:
        while True:
            supervisor.parts["no-such-command"].process.wait(30)
            supervisor.check()

    with pytest.raises(PartFailed, match=r"`payflux no-such-command` stopped 3 times in a row \(exit 2\).*doctor"):
        check_until_given_up()
    supervisor.stop()
    assert restarts == [("no-such-command", 2)] * 2
