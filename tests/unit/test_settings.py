"""Settings come from the environment alone, and production refuses what is only good for development."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from payflux.settings import SANDBOX_SECRET_KEY, SettingsError, load_settings
from payflux.world.oidc import sign_in_providers

PRODUCTION = {
    "PAYFLUX_ENVIRONMENT": "production",
    "PAYFLUX_SECRET_KEY": "x" * 32,
    "PAYFLUX_PUBLIC_URL": "https://payflux.example",
    "STRIPE_SECRET_KEY": "sk_live_not_a_real_key",
    "STRIPE_CLIENT_ID": "ca_real",
    "PAYFLUX_SMTP_HOST": "mail.payflux.example",
    "PAYFLUX_SMTP_FROM": "PayFlux <alerts@payflux.example>",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_development_needs_no_setting_and_keeps_its_generated_secret(environment: pytest.MonkeyPatch) -> None:
    first, second = load_settings(), load_settings()
    assert first.secret_key == second.secret_key
    assert len(first.secret_key.get_secret_value()) >= 32
    assert Path(".payflux/secret_key").stat().st_mode & 0o077 == 0
    assert first.uses_sandbox
    assert (first.smtp_host, first.smtp_port, first.smtp_tls) == ("127.0.0.1", 8002, "none")
    assert first.stripe_api_base == first.stripe_connect_base == "http://127.0.0.1:8001"
    assert (first.stripe_app_client_id, first.stripe_app_authorize_url) == (
        "ca_sandbox_app",
        "http://127.0.0.1:8001/oauth/v2/authorize",
    )


def test_a_stripe_key_replaces_the_sandbox_by_configuration_alone(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("STRIPE_SECRET_KEY", "sk_test_mine")
    settings = load_settings()
    assert not settings.uses_sandbox
    assert settings.stripe_api_base == "https://api.stripe.com"


def test_the_sandbox_signs_people_in_where_no_provider_is_set_up(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GOOGLE_CLIENT_ID", "mine.apps.googleusercontent.com")
    environment.setenv("GOOGLE_CLIENT_SECRET", "mine")
    settings = load_settings()
    assert settings.google_base == "https://accounts.google.com"
    assert settings.microsoft_base == "http://127.0.0.1:8001/microsoft"
    assert set(sign_in_providers(settings)) == {"google", "microsoft"}


def test_only_providers_that_are_set_up_are_offered_beside_real_money(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("STRIPE_SECRET_KEY", "sk_test_mine")
    assert sign_in_providers(load_settings()) == {}
    environment.setenv("MICROSOFT_CLIENT_ID", "mine")
    assert sign_in_providers(load_settings()) == {}
    environment.setenv("MICROSOFT_CLIENT_SECRET", "mine")
    environment.setenv("MICROSOFT_TENANT", "organizations")
    offered = sign_in_providers(load_settings())
    assert offered["microsoft"].base == "https://login.microsoftonline.com/organizations/v2.0"


def test_settings_cannot_be_changed(environment: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.port = 9  # ty: ignore[invalid-assignment] -- that it is refused is the point


def test_production_accepts_real_settings(environment: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        environment.setenv(name, value)
    assert load_settings().url == "https://payflux.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYFLUX_SECRET_KEY", "short"),
        ("PAYFLUX_SECRET_KEY", ""),
        ("PAYFLUX_PUBLIC_URL", "http://payflux.example"),
        ("STRIPE_SECRET_KEY", SANDBOX_SECRET_KEY),
        ("STRIPE_CLIENT_ID", "ca_sandbox"),
        ("STRIPE_API_BASE", "http://127.0.0.1:8001"),
        ("STRIPE_API_BASE", "https://localhost"),
        ("STRIPE_CONNECT_BASE", "http://connect.stripe.com"),
        ("STRIPE_APP_AUTHORIZE_URL", "http://marketplace.stripe.com/oauth/v2/authorize"),
        ("STRIPE_APP_SECRET_KEY", "sk_test_sandbox_app"),
        ("STRIPE_APP_CLIENT_ID", "ca_sandbox_app"),
        ("GOOGLE_CLIENT_ID", "google-sandbox"),
        ("MICROSOFT_CLIENT_ID", "microsoft-sandbox"),
        ("PAYFLUX_GOOGLE_BASE", "http://accounts.google.com"),
        ("PAYFLUX_MICROSOFT_BASE", "https://127.0.0.1"),
        ("PAYFLUX_SMTP_HOST", ""),
        ("PAYFLUX_SMTP_HOST", "127.0.0.1"),
        ("PAYFLUX_SMTP_FROM", ""),
    ],
)
def test_production_refuses_development_values_and_names_the_variable(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for key, good in PRODUCTION.items():
        environment.setenv(key, good)
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_a_wrong_value_names_its_variable(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PAYFLUX_PORT", "eighty")
    environment.setenv("DATABASE_URL", "mysql://localhost/x")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "PAYFLUX_PORT" in str(raised.value)
    assert "DATABASE_URL: must start with postgresql://" in str(raised.value)


def test_no_secret_shows_when_settings_are_printed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("STRIPE_SECRET_KEY", "sk_test_do_not_print_me")
    assert "do_not_print_me" not in repr(load_settings())
