"""What the documents promise is what the code says."""

from __future__ import annotations

from pathlib import Path

from core.engine.alarms import TABLE

ROOT = Path(__file__).resolve().parents[2]


def test_the_alarm_table_in_the_docs_is_the_one_in_the_code() -> None:
    text = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]

    expected = [
        f"| `{code}` | {m.priority.value} | {m.cause} | {m.consequence} | {m.action} | {m.act_within_s} s |"
        for code, m in TABLE.items()
    ]

    assert expected == rows


def test_every_alarm_has_cause_consequence_action_and_time() -> None:
    lacking = [
        code for code, m in TABLE.items() if not (m.cause and m.consequence and m.action and m.act_within_s)
    ]

    assert not lacking
