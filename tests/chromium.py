"""The Chromium that the browser tests drive: the system's own, else one that `python -m tests.chromium` installs.

As root the system's package manager installs it. Without root, Playwright's own download is tried, and then Debian's
packages are unpacked into a folder of the virtual environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UNPACKED = Path(sys.prefix) / "chromium"
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def find() -> Path | None:
    """The browser to drive, or None when there is none."""
    candidates = [os.environ.get("PAYFLUX_CHROMIUM"), *map(shutil.which, NAMES)]
    candidates += [str(path) for path in _unpacked_browsers()]
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def environment() -> dict[str, str | float | bool]:
    """The environment the browser starts in: an unpacked one finds its libraries beside it."""
    libraries = sorted({str(file.parent) for file in (UNPACKED / "root" / "usr" / "lib").glob("*-linux-gnu*/**/*.so*")})
    return {**os.environ, **({"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {})}


def arguments() -> list[str]:
    """Chromium's own sandbox needs rights that root and containers do not have; the tests open our own pages alone."""
    return [*ARGUMENTS, "--no-sandbox"]


def install() -> bool:
    """Try each way of getting a Chromium, and say whether one worked."""
    apt = shutil.which("apt-get")
    ways = []
    if apt and os.geteuid() == 0:
        ways.append(lambda: _run(apt, "update") and _run(apt, "install", "-y", "--no-install-recommends", "chromium"))
    ways.append(lambda: _run(sys.executable, "-m", "playwright", "install", "chromium-headless-shell"))
    if apt:
        ways.append(lambda: _unpack_debian_packages(apt))
    return any(way() and find() is not None for way in ways)


def _unpacked_browsers() -> list[Path]:
    downloads = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(downloads.glob("chromium*/*/*headless_shell*")) + sorted(downloads.glob("chromium*/*/chrome"))
    return [UNPACKED / "root" / "usr" / "lib" / "chromium" / "chromium", *reversed(found)]


def _unpack_debian_packages(apt: str) -> bool:
    """Download Chromium and the libraries that are missing as Debian packages, and unpack them; needs no root."""
    packages, root = UNPACKED / "packages", UNPACKED / "root"
    for folder in (
        packages,
        root,
        UNPACKED / "state" / "lists" / "partial",
        UNPACKED / "cache" / "archives" / "partial",
    ):
        folder.mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::State={UNPACKED / 'state'}", "-o", "Dir::State::status=/var/lib/dpkg/status"]
    options += ["-o", f"Dir::Cache={UNPACKED / 'cache'}", "-o", "APT::Sandbox::User=root"]
    if not _run(apt, *options, "update"):
        return False
    plan = subprocess.run(
        [apt, *options, "-s", "install", "--no-install-recommends", "chromium"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    # chromium looks for its data beside itself, so that of the system does not serve
    names = sorted({"chromium-common", *(line.split()[1] for line in plan.splitlines() if line.startswith("Inst "))})
    if "chromium" not in names or not _run(apt, *options, "download", *names, cwd=packages):
        return False
    return all(_run("dpkg-deb", "-x", str(package), str(root)) for package in packages.glob("*.deb"))


def _run(*command: str, cwd: Path | None = None) -> bool:
    return (
        subprocess.run(command, check=False, cwd=cwd, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode
        == 0
    )


if __name__ == "__main__":
    browser = find()
    if browser is None:
        sys.stdout.write("Installing Chromium for the browser tests (once) ...\n")
        if not install():
            sys.exit(
                "No Chromium could be installed. Install one, or set PAYFLUX_CHROMIUM to its path, then try again."
            )
        browser = find()
    sys.stdout.write(f"Browser tests use {browser}\n")
