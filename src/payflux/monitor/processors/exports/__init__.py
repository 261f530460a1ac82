"""Payment events from files a merchant can download, read honestly: :func:`read_exports` and :func:`write_plain`."""

from payflux.monitor.processors.exports.layouts.plain import write_plain
from payflux.monitor.processors.exports.reader import Reading, read_exports
from payflux.monitor.processors.exports.report import FileReport, Problem, ReadReport, Trouble
from payflux.monitor.processors.exports.tables import UnreadableFileError

__all__ = [
    "FileReport",
    "Problem",
    "ReadReport",
    "Reading",
    "Trouble",
    "UnreadableFileError",
    "read_exports",
    "write_plain",
]
