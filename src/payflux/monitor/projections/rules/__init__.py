"""How PayFlux projects trapped capital: pure functions, no clock and no I/O."""

from payflux.monitor.projections.rules.forecast import VolumeForecast, forecast_sales
from payflux.monitor.projections.rules.projecting import MODEL_VERSION, project
from payflux.monitor.projections.rules.reserves import SCENARIOS, rolling_reserve, scenario_of, stress_of
from payflux.monitor.projections.settings import ProjectionSettings

__all__ = [
    "MODEL_VERSION",
    "SCENARIOS",
    "ProjectionSettings",
    "VolumeForecast",
    "forecast_sales",
    "project",
    "rolling_reserve",
    "scenario_of",
    "stress_of",
]
