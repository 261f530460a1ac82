"""Stripe as the reader of a merchant's history sees it."""

from payflux.world.stripe.apps import ACCESS_TOKEN_LIFETIME, AppGrant, AppOAuth
from payflux.world.stripe.auth import StripeAuth
from payflux.world.stripe.errors import (
    CodeRefused,
    Disconnected,
    KeyRefused,
    PermissionMissing,
    ProcessorUnavailable,
    RequestRefused,
    StripeFailure,
)
from payflux.world.stripe.gateway import StripeGateway
from payflux.world.stripe.oauth import Authorization, ConnectOAuth
from payflux.world.stripe.reader import Params, StripeReader

__all__ = [
    "ACCESS_TOKEN_LIFETIME",
    "AppGrant",
    "AppOAuth",
    "Authorization",
    "CodeRefused",
    "ConnectOAuth",
    "Disconnected",
    "KeyRefused",
    "Params",
    "PermissionMissing",
    "ProcessorUnavailable",
    "RequestRefused",
    "StripeAuth",
    "StripeFailure",
    "StripeGateway",
    "StripeReader",
]
