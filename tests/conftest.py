"""What every test stands on: a clean environment, repeatable examples, and an honest account of what was skipped."""

from __future__ import annotations

import os
import tempfile
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "andon",
    derandomize=True,  # the same examples on every machine: a failure is a fact, not a flake
    deadline=None,  # time is measured by benches
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("andon")


def pytest_configure(config: pytest.Config) -> None:
    """No setting of the person at the keyboard reaches a test, and no test reaches their data folder."""
    for name in [
        name for name in os.environ if name.startswith(("BOT_", "ANDON_")) and name != "ANDON_NO_SKIP"
    ]:
        del os.environ[name]
    folder = tempfile.TemporaryDirectory(prefix="andon-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ["ANDON_HOME"] = folder.name


def _skips(config: pytest.Config) -> Counter[tuple[str, str]]:
    """(folder, reason) -> number of skipped tests."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    found: Counter[tuple[str, str]] = Counter()
    for report in reporter.stats.get("skipped", []) if reporter else []:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found[os.path.dirname(report.nodeid.partition("::")[0]), reason.removeprefix("Skipped: ")] += 1
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With ANDON_NO_SKIP=1 a skipped test fails the run: the machine was meant to have everything."""
    if os.environ.get("ANDON_NO_SKIP") == "1" and _skips(session.config) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name each skipped group and why, just above the closing line."""
    skips = _skips(config)
    if not skips:
        return
    refused = os.environ.get("ANDON_NO_SKIP") == "1"
    terminalreporter.section("skipped groups" + (": refused by ANDON_NO_SKIP=1" if refused else ""))
    for (folder, reason), count in sorted(skips.items()):
        terminalreporter.line(f"{folder}: {count} skipped: {reason}")
