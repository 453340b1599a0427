"""The documents say what the code does: tables and strings that stand in both are the same."""

import re
from pathlib import Path

from daemon.config.model import Config
from daemon.health.issues import BY_NAME, ISSUES
from daemon.obs import pipeline
from daemon.obs.sources import GstreamerSource
from daemon.observability.problems import SENTENCES

DOCS = Path(__file__).parents[1] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second level."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, heading
    return rest.partition("\n## ")[0]


def table(text: str) -> list[list[str]]:
    """The cells of the tables' rows, heads and rules left out."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:] if not line.startswith("| ---")]


def test_the_pipeline_in_the_document_is_the_one_that_is_built() -> None:
    sources = Config().sources
    built = pipeline.build(
        "rtmp://127.0.0.1:1935/live/bob", sources.pipeline, width=sources.width, height=sources.height
    )
    found = re.search(r"```text\n(.*?)```", section(page("gstreamer-pipeline.md"), "The very string"), re.DOTALL)
    assert found
    assert " ".join(found[1].split()) == built


def test_the_settings_in_the_document_are_those_that_the_input_gets() -> None:
    sources = Config().sources
    sent = GstreamerSource().settings("rtmp://127.0.0.1:1935/live/bob", sources)
    rows = table(section(page("gstreamer-pipeline.md"), "Settings of the input"))
    keys = {key for cells in rows for key in re.findall(r"`(\w+)`", cells[0])}
    assert keys == set(type(sources.properties).model_fields)
    for name in (name for cells in rows for cell in cells for name in re.findall(r"`(\w+)`", cell)):
        assert name in sent or name == "sync_appsinks", name


def test_every_issue_stands_in_the_document_with_its_weight_and_its_remedy() -> None:
    text = page("stream-health.md")
    documented = [tuple(cells) for cells in table(section(text, "Issues and their weights"))]
    judged_by = {"now": "now", "mean": "window", "any": "window"}
    assert documented == [(f"`{each.name}`", f"{each.weight:g}", judged_by[each.over], each.bounds) for each in ISSUES]
    rows = table(section(text, "What to do about each"))
    remedies = {name for cells in rows for name in re.findall(r"`(\w+)`", cells[0])}
    assert remedies == set(BY_NAME)


def test_every_reason_why_somebody_is_not_shown_stands_in_the_document() -> None:
    rows = table(section(page("operations.md"), "Somebody in line is not shown"))
    assert {name for cells in rows for name in re.findall(r"`(\w+)`", cells[0])} == set(SENTENCES)
