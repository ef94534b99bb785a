"""The cause graph as a tree: no edge twice, and an end even where a circle was promised away."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from investigator.report.graph_view import cause_tree, reduced


@pytest.mark.parametrize(
    ("edges", "kept"),
    [
        ("ab bc", "ab bc"),
        ("ab ac bc", "ab bc"),
        ("ab ac ad bd cd", "ab ac bd cd"),
        ("ab ac ad bc cd", "ab bc cd"),
        ("ab bd ac", "ab bd ac"),
        ("ab ba", "ab ba"),
        ("ab bc ca ac", "ab bc ca"),
        ("", ""),
    ],
    ids=["chain", "short cut", "two ways", "long short cuts", "fork", "circle", "circle with a short cut", "nothing"],
)
def test_edges_that_a_longer_way_tells_are_left_out(edges: str, kept: str) -> None:
    below: dict[str, list[str]] = {}
    for edge in edges.split():
        below.setdefault(edge[0], []).append(edge[1])
    found = reduced(below)
    assert sorted(cause + effect for cause, effects in found.items() for effect in effects) == sorted(kept.split())


def test_a_root_that_explains_none_of_the_failures_is_not_called_theirs(sample: ModuleType) -> None:
    incident = sample.diagnosis().incidents[0]
    first, second = incident.causes
    words = {node.title: node.tag.text for node in cause_tree(incident, "i1")}
    assert words[first.title] == words[second.title] == "root"
    idle = replace(incident, causes=(first, replace(second, explains=0, alone=0)))
    words = {node.title: node.tag.text for node in cause_tree(idle, "i1")}
    assert (words[first.title], words[second.title]) == ("root", "beside the failures")
