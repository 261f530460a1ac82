"""How PayFlux scores: pure functions over summaries of payment events, no clock and no I/O."""

from payflux.monitor.risk.rules.features import Features, features
from payflux.monitor.risk.rules.history import History, history_of, prepare
from payflux.monitor.risk.rules.scoring import MODEL_VERSION, basis_hash, inputs_hash, score

__all__ = [
    "MODEL_VERSION",
    "Features",
    "History",
    "basis_hash",
    "features",
    "history_of",
    "inputs_hash",
    "prepare",
    "score",
]
