"""The SQL definitions that lie beside the rules they define."""

from __future__ import annotations

import re
from importlib import resources

from payflux.monitor.risk import rules


def definition(name: str) -> str:
    """The text of a definition, in DuckDB's dialect, with `$name` for each parameter."""
    return resources.files(rules).joinpath(name).read_text()


def parts(text: str) -> dict[str, str]:
    """The statements of a definition that has several, by the names in their `-- part:` lines."""
    pieces = re.split(r"^-- part: (\w+)$", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))
