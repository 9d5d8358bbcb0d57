"""Environments that share what templates were compiled to: each speaks for itself, and a changed text is compiled anew.

Belongs here: sharing between environments. Does not: pages in several languages (tests/unit/publish).
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment
from jinja2.bccache import Bucket

from dagster_project.lib.base import templates


def spoken(folder: Path, compiled: templates.Compiled, word: str) -> Environment:
    """An environment whose filters answer with a word, one of them under the name of a filter of Jinja's own."""
    made = templates.environment(folder, said=lambda text: f"{text} {word}", upper=lambda text: f"{text} {word}!")
    templates.share(made, compiled)
    return made


def test_what_one_environment_compiled_says_what_the_filters_of_another_say_of_constants(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("{{ 'yes' | said }}, {{ ['a'] | map('said') | join }}, {{ 'b' | upper | lower }}")
    compiled = templates.Compiled()
    said = [spoken(tmp_path, compiled, word).get_template("page").render() for word in ("one", "two", "one")]
    assert said == ["yes one, a one, b one!", "yes two, a two, b two!", "yes one, a one, b one!"]


def test_a_changed_template_is_compiled_again(tmp_path: Path) -> None:
    compiled = templates.Compiled()
    for text in ("before", "after"):
        (tmp_path / "page").write_text(text)
        assert spoken(tmp_path, compiled, "").get_template("page").render() == text


def test_a_template_is_compiled_once_for_all_environments(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("{{ 'yes' | said }}")
    times: list[str] = []

    class Counted(templates.Compiled):
        def dump_bytecode(self, bucket: Bucket) -> None:
            times.append(bucket.key)
            super().dump_bytecode(bucket)

    compiled = Counted()
    for word in ("one", "two"):
        spoken(tmp_path, compiled, word).get_template("page").render()
    assert len(times) == 1
