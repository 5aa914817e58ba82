"""A module that its own folder alone uses begins with an underscore, and nobody else imports it."""

from __future__ import annotations

import grimp

GRAPH = grimp.build_graph("lumiscope", cache_dir=None)
# Modules that are found by lying in a folder may as well lie in another package: what they import is open to all.
FOUND = (
    "lumiscope.attribution.methods.",
    "lumiscope.cli.commands.",
    "lumiscope.dissection.similarity.",
    "lumiscope.models.backends.",
    "lumiscope.models.sources.",
    "lumiscope.report.parts.",
    "lumiscope.report.sections.",
    "lumiscope.scorers.",
    "lumiscope.study.findings.claims.",
    "lumiscope.study.stages.",
    "lumiscope.trust.metrics.",
)
PROGRAMS = {"lumiscope.world.train", "lumiscope.server.isolation.child"}  # for `python -m`
MODULES = [
    module
    for module in sorted(GRAPH.modules)
    if module.count(".") > 1 and not GRAPH.find_children(module) and not module.startswith(FOUND)
]


def is_private(module: str) -> bool:
    return module.rpartition(".")[2].startswith("_")


def used_by_its_folder_alone(module: str) -> bool:
    folder = module.rpartition(".")[0] + "."
    users = GRAPH.find_modules_that_directly_import(module)
    return all(user.startswith(folder) and not user.startswith(FOUND) for user in users)


def test_private_modules_are_those_that_their_folder_alone_uses():
    private = [module for module in MODULES if is_private(module)]
    expected = [module for module in MODULES if used_by_its_folder_alone(module) and module not in PROGRAMS]
    assert private == expected
    assert len(private) > 30
