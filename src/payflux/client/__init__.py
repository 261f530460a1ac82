"""A small client of the API, for programs in Python::

from payflux.client import Client

with Client() as payflux:  # PAYFLUX_API_KEY, and PAYFLUX_API_URL where it is not the hosted product
    print(payflux.risk().risk_band)
"""

from payflux.client.calls import ApiError, Unreachable
from payflux.client.client import Client

__all__ = ["ApiError", "Client", "Unreachable"]
