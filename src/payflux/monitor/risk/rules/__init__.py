"""How PayFlux scores: pure functions over payment events, no clock and no I/O."""

from payflux.monitor.risk.rules.features import Features, features
from payflux.monitor.risk.rules.scoring import MODEL_VERSION, inputs_hash, score

__all__ = ["MODEL_VERSION", "Features", "features", "inputs_hash", "score"]
