"""All configuration of PayFlux, read once from the environment into one frozen object."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

STRIPE_API_VERSION = "2026-10-28.endive"
SANDBOX_SECRET_KEY = "sk_test_sandbox"  # noqa: S105 -- the sandbox's published key, refused in production
SANDBOX_CLIENT_ID = "ca_sandbox"
SANDBOX_WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105 -- signs what the sandbox forwards, refused in production
SANDBOX_APP_SECRET_KEY, SANDBOX_APP_CLIENT_ID = f"{SANDBOX_SECRET_KEY}_app", f"{SANDBOX_CLIENT_ID}_app"
SANDBOX_GOOGLE_CLIENT_ID, SANDBOX_MICROSOFT_CLIENT_ID = "google-sandbox", "microsoft-sandbox"
SANDBOX_STOREFRONTS = ("harbour-tea.localhost", "gadget-corner.localhost", "vital-box.localhost")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(Exception):
    """The environment does not make a usable configuration; the message names each variable and the way out."""


class Settings(BaseSettings):
    """PayFlux's configuration. Every field is an environment variable: `PAYFLUX_` and the name in capitals,
    but for `DATABASE_URL` and `STRIPE_*`, which keep the names hosts give them."""

    model_config = SettingsConfigDict(
        env_prefix="PAYFLUX_", frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses development secrets, plain HTTP and the sandbox"
    )
    data_dir: Path = Field(Path(".payflux"), description="where the embedded database and generated secrets live")
    host: str = Field("127.0.0.1", description="the address the web server listens on")
    port: int = Field(8000, ge=1, le=65535, description="the port the web server listens on")
    public_url: str = Field("", description="the address people open; default http://HOST:PORT")
    secret_key: SecretStr = Field(
        SecretStr(""), description="at least 32 characters; all keys are derived from it; generated in development"
    )
    previous_secret_key: SecretStr = Field(
        SecretStr(""),
        description="the secret key before the last change: API clients and API keys keep opening across it",
    )
    pg_bin: Path | None = Field(None, description="folder with PostgreSQL's binaries for the embedded database")
    database_url: str = Field(
        "",
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL 15+ as the role that owns the schema; default: the embedded database",
    )
    app_database_url: str = Field("", description="the same database as the app's own role; default: derived")
    system_database_url: str = Field("", description="the same database as the system role; default: derived")
    stripe_secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("STRIPE_SECRET_KEY", "stripe_secret_key"),
        description="the platform's key for Connect OAuth; without it the development sandbox is used",
    )
    stripe_client_id: str = Field(
        "",
        validation_alias=AliasChoices("STRIPE_CLIENT_ID", "stripe_client_id"),
        description="the platform's client id (ca_…) for Connect OAuth",
    )
    stripe_api_base: str = Field(
        "https://api.stripe.com",
        validation_alias=AliasChoices("STRIPE_API_BASE", "stripe_api_base"),
        description="Stripe's API address",
    )
    stripe_connect_base: str = Field(
        "https://connect.stripe.com",
        validation_alias=AliasChoices("STRIPE_CONNECT_BASE", "stripe_connect_base"),
        description="Stripe's OAuth address",
    )
    stripe_connect_scope: Literal["read_only", "read_write"] = Field(
        "read_write", description="read_only needs an extension that Stripe granted before it closed them"
    )
    stripe_connect_webhook_secrets: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("STRIPE_CONNECT_WEBHOOK_SECRETS", "stripe_connect_webhook_secrets"),
        description="signing secrets (whsec_…) of the platform's webhook endpoint for connected accounts, by commas",
    )
    stripe_webhook_secrets: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("STRIPE_WEBHOOK_SECRETS", "STRIPE_WEBHOOK_SECRET", "stripe_webhook_secrets"),
        description="signing secrets (whsec_…) of the webhook endpoint of your own Stripe account, by commas",
    )
    stripe_app_client_id: str = Field(
        "",
        validation_alias=AliasChoices("STRIPE_APP_CLIENT_ID", "stripe_app_client_id"),
        description="the client id of your Stripe App (ca_…); offered to members when it and its key are set",
    )
    stripe_app_secret_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("STRIPE_APP_SECRET_KEY", "stripe_app_secret_key"),
        description="the secret key of the Stripe account that owns the app",
    )
    stripe_app_authorize_url: str = Field(
        "https://marketplace.stripe.com/oauth/v2/authorize",
        validation_alias=AliasChoices("STRIPE_APP_AUTHORIZE_URL", "stripe_app_authorize_url"),
        description="the app's install link without its parameters; before it is published, the test link's address",
    )
    stripe_live_rate: float = Field(10.0, gt=0, le=100, description="requests a second against a live account")
    stripe_test_rate: float = Field(20.0, gt=0, le=100, description="requests a second against a test account")
    google_client_id: str = Field(
        "",
        validation_alias=AliasChoices("GOOGLE_CLIENT_ID", "google_client_id"),
        description="the OAuth client id at Google; people may sign in by Google when it and its secret are set",
    )
    google_client_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("GOOGLE_CLIENT_SECRET", "google_client_secret"),
        description="the secret of that client",
    )
    google_base: str = Field("https://accounts.google.com", description="Google's issuer, where discovery begins")
    microsoft_client_id: str = Field(
        "",
        validation_alias=AliasChoices("MICROSOFT_CLIENT_ID", "microsoft_client_id"),
        description="the application (client) id at Microsoft Entra; offered when it and its secret are set",
    )
    microsoft_client_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("MICROSOFT_CLIENT_SECRET", "microsoft_client_secret"),
        description="the secret of that application",
    )
    microsoft_tenant: str = Field(
        "common",
        pattern=r"^[\w.-]+$",
        validation_alias=AliasChoices("MICROSOFT_TENANT", "microsoft_tenant"),
        description="whose accounts may sign in: common, organizations, consumers or one tenant's id",
    )
    microsoft_base: str = Field(
        "https://login.microsoftonline.com", description="Microsoft's address, where discovery begins"
    )
    sandbox_port: int = Field(
        8001, ge=1, le=65534, description="the port of the sandbox that `payflux run` starts; its mailbox has the next"
    )
    storefront_hosts: str = Field(
        "",
        description="the sandbox's shops that the website scan may read on this machine, by commas; default in "
        "development: all three. Nothing else of this machine is ever read",
    )
    smtp_host: str = Field("", description="the mail server; default in development: the sandbox's mailbox")
    smtp_port: int = Field(587, ge=1, le=65535, description="the mail server's port")
    smtp_username: str = Field("", description="the user name at the mail server; empty where it asks for none")
    smtp_password: SecretStr = Field(SecretStr(""), description="the password at the mail server")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the way to the mail server is encrypted; tls is usual on port 465"
    )
    smtp_from: str = Field("", description="who mails come from, such as PayFlux <alerts@example.com>")
    bounce_address: str = Field(
        "",
        description="what mails to users come back to, such as bounces@example.com: its mail, and that to "
        "bounces+…@example.com, has to be handed to /hooks/mail/bounces; without it, they come back to the sender",
    )
    support_email: str = Field(
        "", description="who is told of an activation that keeps failing; without it, nobody is told but the console"
    )
    sales_email: str = Field("", description="who sells what has no price of its own; without it, nobody is named")
    scheduling_url: str = Field(
        "", description="where whoever asked for a talk picks a time, such as https://cal.example/sales; may be empty"
    )
    company_name: str = Field("", description="the legal name of who runs this installation, for its legal pages")
    company_address: str = Field("", description="their postal address, on one line")
    company_law: str = Field("", description="the law that the terms are under, such as the laws of England and Wales")
    privacy_email: str = Field("", description="who answers for personal data; default: PAYFLUX_SUPPORT_EMAIL")
    security_email: str = Field(
        "", description="who is told of a vulnerability; with it, /.well-known/security.txt is there"
    )
    hosting: str = Field(
        "", description="who hosts this installation and where, for the list of subprocessors, such as Example Ltd, EU"
    )
    trust_claims: str = Field(
        "",
        description="what the pricing page may claim of you, separated by semicolons, such as "
        "SOC 2 Type II report; Data processing agreement. Only what is true: nothing is claimed without it",
    )
    testimonial: str = Field("", description="what a customer says of you, for the pricing page; hidden without it")
    testimonial_by: str = Field("", description="who says so: a name, and a company")
    leaked_passwords_url: str = Field(
        "",
        description="a range API that new passwords are looked up in by the first 5 digits of their SHA-1, such as "
        "https://api.pwnedpasswords.com/range; empty: only the list that comes with PayFlux is used",
    )
    self_serve_enabled: bool = Field(
        True,
        validation_alias=AliasChoices("SELF_SERVE_ENABLED", "self_serve_enabled"),
        description="whether everybody may register and see the prices; the switch in the staff console goes before it",
    )
    country_header: str = Field(
        "",
        description="the header in which the proxy in front says which country an address is in, such as CF-IPCountry; "
        "set it only where the proxy overwrites what others send",
    )
    posthog_key: SecretStr = Field(
        SecretStr(""),
        description="the project API key (phc_…) at PostHog; without it, product events stay in our own table alone",
    )
    posthog_host: str = Field("https://eu.i.posthog.com", description="where PostHog takes events in")
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="what a Prometheus has to send as its bearer token to read /metrics; without it, /metrics is there "
        "in development alone, for this machine",
    )
    dns_resolver: str = Field(
        "https://cloudflare-dns.com/dns-query",
        description="a resolver that answers over HTTPS in JSON, by which a domain for single sign-on is proven",
    )
    worker_pool: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$",
        description="the pool whose accounts' jobs this worker runs, as `payflux admin isolate` names it; empty: those "
        "of every account that is in none",
    )
    log_format: Literal["console", "json"] = Field("console", description="console for people, json for collectors")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least severe line logged")

    @field_validator("bounce_address")
    @classmethod
    def _is_short_address(cls, address: str) -> str:
        name, _, domain = address.rpartition("@")
        if address and not (re.fullmatch(r"[\w.-]{1,21}", name) and re.fullmatch(r"[\w.-]+", domain)):
            raise ValueError(
                "must be an address like bounces@example.com, with at most 21 letters, digits, dots or hyphens before "
                "the @: a code is added there"
            )
        return address

    @field_validator("worker_pool")
    @classmethod
    def _is_pool(cls, pool: str) -> str:
        return "" if pool == "common" else pool  # as `payflux admin isolate` calls it

    @field_validator("scheduling_url")
    @classmethod
    def _is_https(cls, url: str) -> str:
        if url and urlsplit(url).scheme != "https":
            raise ValueError("must start with https://")
        return url

    @field_validator("database_url", "app_database_url", "system_database_url")
    @classmethod
    def _is_postgres(cls, url: str) -> str:
        if url and urlsplit(url).scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
            raise ValueError("must start with postgresql://")
        return url

    @model_validator(mode="after")
    def _production_is_real(self) -> Settings:
        if self.environment != "production":
            return self
        problems = []
        if len(self.secret_key.get_secret_value()) < 32:
            problems.append(
                "PAYFLUX_SECRET_KEY must be set to at least 32 characters: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        if not self.public_url.startswith("https://"):
            problems.append("PAYFLUX_PUBLIC_URL must be the https:// address people open")
        problems += self._parts_of_the_sandbox()
        for name, base in (
            ("STRIPE_API_BASE", self.stripe_api_base),
            ("STRIPE_CONNECT_BASE", self.stripe_connect_base),
            ("STRIPE_APP_AUTHORIZE_URL", self.stripe_app_authorize_url),
            ("PAYFLUX_POSTHOG_HOST", self.posthog_host),
            ("PAYFLUX_GOOGLE_BASE", self.google_base),
            ("PAYFLUX_MICROSOFT_BASE", self.microsoft_base),
        ):
            if not base.startswith("https://") or urlsplit(base).hostname in _LOOPBACK:
                problems.append(
                    f"{name} must be an https:// address that is not this machine; unset it to use the real one"
                )
        if not self.smtp_host or self.smtp_host in _LOOPBACK:
            problems.append("PAYFLUX_SMTP_HOST must be a mail server that delivers; one on this machine only captures")
        elif not self.smtp_from:
            problems.append("PAYFLUX_SMTP_FROM must be the address that mails come from")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _parts_of_the_sandbox(self) -> list[str]:
        problems = []
        if (
            self.stripe_secret_key.get_secret_value() == SANDBOX_SECRET_KEY
            or self.stripe_client_id == SANDBOX_CLIENT_ID
        ):
            problems.append(
                "STRIPE_SECRET_KEY and STRIPE_CLIENT_ID are the sandbox's; use those of your Stripe account"
            )
        if SANDBOX_WEBHOOK_SECRET in self.webhook_secrets:
            problems.append("STRIPE_WEBHOOK_SECRETS holds the sandbox's; use those of your webhook endpoint")
        if (
            self.stripe_app_secret_key.get_secret_value() == SANDBOX_APP_SECRET_KEY
            or self.stripe_app_client_id == SANDBOX_APP_CLIENT_ID
        ):
            problems.append(
                "STRIPE_APP_SECRET_KEY and STRIPE_APP_CLIENT_ID are the sandbox's; use those of your app, or unset them"
            )
        if self.storefronts:
            problems.append("PAYFLUX_STOREFRONT_HOSTS names shops of the sandbox; unset it")
        if self.google_client_id == SANDBOX_GOOGLE_CLIENT_ID or self.microsoft_client_id == SANDBOX_MICROSOFT_CLIENT_ID:
            problems.append("GOOGLE_CLIENT_ID and MICROSOFT_CLIENT_ID are the sandbox's; use your own, or unset them")
        return problems

    @property
    def url(self) -> str:
        """The address people open, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def uses_sandbox(self) -> bool:
        """Whether Stripe's part is played by the sandbox on this machine."""
        return self.stripe_secret_key.get_secret_value() == SANDBOX_SECRET_KEY

    @property
    def key_environment(self) -> Literal["live", "test"]:
        """What the API keys of this installation are for: `test` on the sandbox and on Stripe's test mode."""
        return "test" if self.stripe_secret_key.get_secret_value().startswith(("sk_test_", "rk_test_")) else "live"

    @property
    def connect_webhook_secrets(self) -> list[str]:
        """The signing secrets of the platform's webhook endpoint for connected accounts; empty where there is none."""
        return _parts(self.stripe_connect_webhook_secrets)

    @property
    def webhook_secrets(self) -> list[str]:
        """The signing secrets of the endpoint for the events of our own account; empty where there is none."""
        return _parts(self.stripe_webhook_secrets)

    @property
    def trust_claim_list(self) -> list[str]:
        """The claims of the pricing page, one by one."""
        return [claim for part in self.trust_claims.split(";") if (claim := part.strip())]

    @property
    def stripe_app_offered(self) -> bool:
        """Whether members may connect by installing our Stripe App."""
        return bool(self.stripe_app_client_id and self.stripe_app_secret_key.get_secret_value())

    @property
    def storefronts(self) -> frozenset[str]:
        """The hosts that stand on this machine, at the sandbox, and that the website scan may read all the same."""
        return frozenset(name for part in self.storefront_hosts.split(",") if (name := part.strip()))

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def mailbox_port(self) -> int:
        """Where the sandbox takes mails."""
        return self.sandbox_port + 1


def load_settings(**overrides: object) -> Settings:
    """Read the environment. In development, generate what may be generated and fall back to the sandbox.

    Raises SettingsError, whose message names every variable that is wrong.
    """
    try:
        settings = Settings(**overrides)  # ty: ignore[invalid-argument-type] -- pydantic validates at run time
    except ValidationError as error:
        raise SettingsError(
            "\n".join(_sentence(problem["loc"], problem["msg"]) for problem in error.errors())
        ) from None
    if settings.environment == "production":
        return settings
    generated: dict[str, object] = {}
    if not settings.secret_key.get_secret_value():
        generated["secret_key"] = SecretStr(_development_secret(settings.data_dir))
    if not settings.stripe_secret_key.get_secret_value():
        generated |= {
            "stripe_secret_key": SecretStr(SANDBOX_SECRET_KEY),
            "stripe_client_id": SANDBOX_CLIENT_ID,
            "stripe_api_base": settings.sandbox_url,
            "stripe_connect_base": settings.sandbox_url,
            "stripe_webhook_secrets": SecretStr(",".join((*settings.webhook_secrets, SANDBOX_WEBHOOK_SECRET))),
        }
        generated |= _sandbox_providers(settings)
        if not settings.storefront_hosts:
            generated["storefront_hosts"] = ",".join(SANDBOX_STOREFRONTS)
        if not settings.smtp_host:
            generated |= {"smtp_host": "127.0.0.1", "smtp_port": settings.mailbox_port, "smtp_tls": "none"}
            generated["bounce_address"] = settings.bounce_address or "bounces@localhost"
    if not settings.smtp_from:
        generated["smtp_from"] = "PayFlux <payflux@localhost>"
    return settings.model_copy(update=generated)


def _sandbox_providers(settings: Settings) -> dict[str, object]:
    """The sandbox in the place of each provider that is not set up."""
    generated: dict[str, object] = {}
    if not settings.stripe_app_client_id:
        generated |= {
            "stripe_app_client_id": SANDBOX_APP_CLIENT_ID,
            "stripe_app_secret_key": SecretStr(SANDBOX_APP_SECRET_KEY),
            "stripe_app_authorize_url": f"{settings.sandbox_url}/oauth/v2/authorize",
        }
    if not settings.google_client_id:
        generated |= {
            "google_client_id": SANDBOX_GOOGLE_CLIENT_ID,
            "google_client_secret": SecretStr(f"{SANDBOX_GOOGLE_CLIENT_ID}-secret"),
            "google_base": f"{settings.sandbox_url}/google",
        }
    if not settings.microsoft_client_id:
        generated |= {
            "microsoft_client_id": SANDBOX_MICROSOFT_CLIENT_ID,
            "microsoft_client_secret": SecretStr(f"{SANDBOX_MICROSOFT_CLIENT_ID}-secret"),
            "microsoft_base": f"{settings.sandbox_url}/microsoft",
        }
    return generated


def _parts(secrets_by_commas: SecretStr) -> list[str]:
    return [part for each in secrets_by_commas.get_secret_value().split(",") if (part := each.strip())]


def environment_variable(field: str) -> str:
    """The environment variable that sets `field`."""
    alias = Settings.model_fields[field].validation_alias if field in Settings.model_fields else None
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"PAYFLUX_{field.upper()}"


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0])
    return f"{name if name.isupper() else environment_variable(name)}: {message}"


def _development_secret(data_dir: Path) -> str:
    """The secret kept in `data_dir`, made on first use. It is written aside and linked into place, so that of several
    processes that start at once all read the same, whole secret."""
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with NamedTemporaryFile("w", dir=data_dir, prefix="secret_key.") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                with suppress(FileExistsError):
                    os.link(file.name, path)
        secret = path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"PAYFLUX_DATA_DIR: cannot write to {data_dir} ({error.strerror}). Point it at a folder you own."
        ) from None
    if len(secret) < 32:
        raise SettingsError(f"{path} is damaged: it holds no secret of 32 characters or more. Restore or delete it.")
    return secret
