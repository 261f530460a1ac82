"""`payflux doctor`, `payflux --help` and what each command says when it cannot go on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from payflux.kit.postgres import EmbeddedPostgres
from tests.conftest import SECRET
from tests.integration.commands import Outcome, payflux, said_by
from tests.running import free_port
from tests.sandbox_server import running_sandbox

PRODUCTION = {
    "PAYFLUX_ENVIRONMENT": "production",
    "PAYFLUX_SECRET_KEY": SECRET,
    "PAYFLUX_PUBLIC_URL": "https://payflux.example",
    "PAYFLUX_SMTP_HOST": "mail.payflux.example",
    "PAYFLUX_SMTP_FROM": "PayFlux <alerts@payflux.example>",
}
COMMANDS = ("run", "serve", "work", "migrate", "sandbox", "reset", "analyze", "doctor")


@pytest.fixture(scope="module")
def sandbox_port() -> Iterator[str]:
    with running_sandbox() as url:
        yield url.rpartition(":")[2]


def doctor(data_dir: Path, **environment: str) -> Outcome:
    return said_by("doctor", data_dir=data_dir, **({"PAYFLUX_SECRET_KEY": SECRET} | environment))


def test_a_sound_configuration_is_well_and_no_secret_is_shown(
    tmp_path: Path, owner_url: str, sandbox_port: str
) -> None:
    seen = doctor(tmp_path, DATABASE_URL=owner_url, PAYFLUX_SANDBOX_PORT=sandbox_port)
    assert seen.code == 0
    assert "migrated, roles as they should be" in seen.said
    assert "the sandbox answers" in seen.said
    assert "All is well." in seen.said
    password = owner_url.split(":")[2].split("@")[0]
    for secret in (SECRET, password, owner_url):
        assert secret not in seen.said


def test_no_secret_is_shown_when_nothing_works(tmp_path: Path) -> None:
    dead = f"127.0.0.1:{free_port()}"
    seen = doctor(
        tmp_path,
        DATABASE_URL=f"postgresql://owner:word1-of-owner@{dead}/db",
        PAYFLUX_APP_DATABASE_URL=f"postgresql://app:word2-of-app@{dead}/db",
        PAYFLUX_SYSTEM_DATABASE_URL=f"postgresql://system:word3-of-system@{dead}/db",
        STRIPE_SECRET_KEY="sk_test_word4ofstripe",
        STRIPE_API_BASE=f"http://{dead}",
    )
    assert seen.code == 1
    assert "DATABASE_URL: cannot connect" in seen.said
    assert f"Stripe does not answer at http://{dead}" in seen.said
    for secret in ("word1", "word2", "word3", "word4", SECRET):
        assert secret not in seen.said


def test_a_sandbox_that_does_not_run_is_named_with_the_command_that_starts_it(tmp_path: Path, owner_url: str) -> None:
    seen = doctor(tmp_path, DATABASE_URL=owner_url, PAYFLUX_SANDBOX_PORT=str(free_port()))
    assert seen.code == 1
    assert "the sandbox does not answer" in seen.said
    assert "`payflux sandbox`" in seen.said


def test_an_empty_database_is_named_with_the_command_that_fills_it(
    tmp_path: Path, postgres: EmbeddedPostgres, sandbox_port: str
) -> None:
    seen = doctor(tmp_path, DATABASE_URL=postgres.url(), PAYFLUX_SANDBOX_PORT=sandbox_port)
    assert seen.code == 1
    assert "database: The database is empty. Run `payflux migrate`." in seen.said


def test_a_role_with_too_much_power_is_named(
    tmp_path: Path, owner_url: str, postgres: EmbeddedPostgres, sandbox_port: str
) -> None:
    database = owner_url.rpartition("/")[2]
    as_superuser = postgres.url(database=database)
    settings = {"DATABASE_URL": owner_url, "PAYFLUX_SANDBOX_PORT": sandbox_port}
    for powerful, role in ((as_superuser, "postgres"), (owner_url, "payflux_owner")):
        seen = doctor(tmp_path, **settings, PAYFLUX_APP_DATABASE_URL=powerful)
        assert seen.code == 1
        assert f"The database role {role} is a superuser, bypasses" in seen.said
        assert "Unset PAYFLUX_APP_DATABASE_URL" in seen.said


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PAYFLUX_PORT", "eighty", "setting: PAYFLUX_PORT: "),
        ("DATABASE_URL", "mysql://here", "setting: DATABASE_URL: must start with postgresql://"),
        ("DATABASE_URL", "postgresql://u:hushhush@h:port/db", "DATABASE_URL: cannot be read as an address"),
        ("PAYFLUX_APP_DATABASE_URL", "postgresql://u:hushhush@h:port/db", "PAYFLUX_APP_DATABASE_URL: cannot be read"),
        ("DATABASE_URL", "postgresql://u:hushhush@h/db?sslmode=often", "`sslmode` parameter must be one of"),
        ("PAYFLUX_PG_BIN", "/nowhere", "PAYFLUX_PG_BIN: no PostgreSQL binaries in /nowhere. Unset it"),
    ],
)
def test_a_wrong_variable_is_named_with_a_way_out(tmp_path: Path, variable: str, value: str, sentence: str) -> None:
    seen = doctor(tmp_path, **{variable: value})
    assert seen.code == 1
    assert sentence in seen.said
    assert "hushhush" not in seen.said
    assert "Traceback" not in seen.said


def test_production_refuses_the_sandbox_and_its_keys(tmp_path: Path) -> None:
    refused = payflux("sandbox", "--fresh", "--port", str(free_port()), data_dir=tmp_path, **PRODUCTION)
    assert refused == (
        1,
        "PayFlux cannot go on. The sandbox is for development: PAYFLUX_ENVIRONMENT is production.",
    )
    refused = payflux("serve", data_dir=tmp_path, **PRODUCTION, STRIPE_SECRET_KEY="sk_test_sandbox")
    assert refused.code == 1
    assert "STRIPE_SECRET_KEY and STRIPE_CLIENT_ID are the sandbox's" in refused.said


def test_help_names_every_command_with_a_sentence(tmp_path: Path) -> None:
    overview = said_by("--help", data_dir=tmp_path)
    assert overview.code == 0
    for command in COMMANDS:
        own = said_by(command, "--help", data_dir=tmp_path)
        sentence = re.search(r"\[OPTIONS\](?: \{files\}\.\.\.)? ([A-Z][^.]+\.)", own.said)
        assert own.code == 0
        assert sentence
        assert f" {command} {sentence[1]}" in " ".join(overview.said.replace("│", " ").split())


def test_analyze_names_the_file_that_is_not_there(tmp_path: Path) -> None:
    refused = said_by("analyze", "nothing.csv", data_dir=tmp_path)
    assert refused == (1, "nothing.csv cannot be read: No such file or directory.")
