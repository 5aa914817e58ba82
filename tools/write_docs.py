"""Write the parts of the docs that follow from the code: tables of a run, commands, public names, stages.

    python tools/write_docs.py            # writes them
    python tools/write_docs.py --check    # says which are stale, and ends with 1

A generated part stands between two comments in its page, `<!-- generated: NAME -->` and `<!-- end: NAME -->`; a test
(tests/test_docs.py) holds that none is stale.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
Part = Callable[[], Iterator[str]]


def tables() -> Iterator[str]:
    """Every table of a run with its columns."""
    from lumiscope.runs import TABLES

    yield "| table | one row for |"
    yield "|---|---|"
    for table in TABLES.values():
        yield f"| [`{table.name}`](#{table.name}) | {table.doc} |"
    for table in TABLES.values():
        yield f"\n### {table.name}\n\nOne row for {table.doc}.\n"
        yield "| column | type | meaning |"
        yield "|---|---|---|"
        for column in table.columns:
            kind = re.sub(r"<\w+: ", "<", f"{column.arrow}") + (" or null" if column.nullable else "")
            yield f"| `{column.name}` | {kind} | {column.doc}{_bounds(column.unit, column.low, column.high)} |"


def _bounds(unit: str, low: float | None, high: float | None) -> str:
    said = [unit] if unit else []
    if low is not None and high is not None:
        said.append(f"{low:g} to {high:g}")
    elif low is not None:
        said.append(f"{low:g} or more")
    elif high is not None:
        said.append(f"{high:g} or less")
    return f" ({', '.join(said)})" if said else ""


def commands() -> Iterator[str]:
    """The help of every command."""
    from typer.main import get_command
    from typer.testing import CliRunner

    from lumiscope.cli.command import COMMANDS
    from lumiscope.cli.main import app

    get_command(app)
    for name in COMMANDS:
        shown = CliRunner().invoke(app, [*name.split(), "--help"], prog_name="lumiscope", env={"COLUMNS": "100"})
        yield f"## lumiscope {name}\n"
        yield "```text"
        yield "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
        yield "```\n"


def public_names() -> Iterator[str]:
    """What `import lumiscope` offers."""
    import lumiscope

    yield "| name | what it is |"
    yield "|---|---|"
    for name in lumiscope.__all__:
        value = getattr(lumiscope, name)
        text = inspect.cleandoc(value.__doc__ or "").split("\n\n")[0]
        kind = "class" if inspect.isclass(value) else "function"
        first = re.split(r"(?<=[.:]) ", " ".join(text.split()))[0].rstrip(":")
        yield f"| `{name}` | {kind}: {first} |"


def study_file() -> Iterator[str]:
    """The fields of every table of a study."""
    from lumiscope.cli._listed import filled
    from lumiscope.study import ModelConfig, setting_of
    from lumiscope.study.config import TABLES

    for name, table in {**TABLES, "[models]": ModelConfig}.items():
        yield f"## [{name}]\n\n{inspect.cleandoc(table.__doc__ or '').splitlines()[0]}\n"
        yield "| field | default | flag | meaning |"
        yield "|---|---|---|---|"
        for field in dataclasses.fields(table):
            setting = setting_of(field)
            flag = (
                "" if setting is None or setting.flag is None else setting.flag or "--" + field.name.replace("_", "-")
            )
            yield (
                f"| `{field.name}` | {_default(field)} | {f'`{flag}`' if flag else ''} | "
                f"{filled(setting.help) if setting else PLAIN[field.name]} |"
            )
        yield ""


PLAIN = {"spec": "Where the model comes from, as `--model` takes it.", "name": "Its name in tables and report."}


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is dataclasses.MISSING:
        return "" if field.default_factory is dataclasses.MISSING else "none"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return "" if value in (None, []) else f"`{json.dumps(value)}`"


def stages() -> Iterator[str]:
    """The stages of a study in their order, with the tables that they need and write: a picture, then a list."""
    from lumiscope.runs import TABLES, table_of
    from lumiscope.study.stage import STAGES, in_order

    order = in_order(STAGES)
    yield "```mermaid"
    yield "flowchart LR"
    for name in order:
        yield f"  {name}([{name.replace('_', ' ')}])"
    writer = {row: name for name in order for row in STAGES[name].writes}
    for name in order:
        arrows: dict[str, list[str]] = {}
        for row in STAGES[name].needs:
            arrows.setdefault(writer[row], []).append(table_of(row).name)
        for source, needed in arrows.items():
            yield f"  {source} -- {'<br>'.join(needed)} --> {name}"
    yield "```\n"
    yield "| stage | needs | writes |"
    yield "|---|---|---|"
    for name in order:
        needs, writes = (
            ", ".join(f"`{table_of(row).name}`" for row in rows) for rows in (STAGES[name].needs, STAGES[name].writes)
        )
        yield f"| {name.replace('_', ' ')} | {needs or 'nothing'} | {writes} |"
    written = {table_of(row).name for name in order for row in STAGES[name].writes}
    rest = [name for name in TABLES if name not in written]
    yield f"\nWhat was left out on the way is collected from all of them in {', '.join(f'`{name}`' for name in rest)}."


def findings() -> Iterator[str]:
    """Every finding, with its question and the tables that it reads."""
    from lumiscope.runs import table_of
    from lumiscope.study import FINDINGS

    yield "| finding | answers | reads |"
    yield "|---|---|---|"
    for name, entry in FINDINGS.items():
        question = inspect.cleandoc(entry.claims.__doc__ or "").splitlines()[0].rstrip(".")
        tables_read = ", ".join(f"[`{table_of(row).name}`](runs.md#{table_of(row).name})" for row in entry.needs)
        yield f"| `{name}` | {question[:1].lower()}{question[1:]} | {tables_read} |"


PARTS: dict[str, tuple[str, Part]] = {
    "tables": ("docs/runs.md", tables),
    "commands": ("docs/commands.md", commands),
    "study file": ("docs/study-file.md", study_file),
    "public names": ("docs/python.md", public_names),
    "findings": ("docs/findings.md", findings),
    "stages": ("docs/design.md", stages),
}


def stale() -> list[str]:
    """The pages whose generated part is not what the code says now."""
    return [page for name, (page, _) in PARTS.items() if (ROOT / page).read_text() != with_part(name)]


def with_part(name: str) -> str:
    """The text of the page of a part, with the part as the code says it now."""
    page, part = PARTS[name]
    text = (ROOT / page).read_text()
    opening, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    if text.count(opening) != 1 or text.count(end) != 1:
        raise SystemExit(f"expected {opening} and {end}, once each, in {page}")
    before, _, rest = text.partition(opening)
    _, _, after = rest.partition(end)
    generated = "\n".join(part()).strip()
    return f"{before}{opening}\n\n{generated}\n\n{end}{after}"


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where a part is stale")
    arguments = parser.parse_args()
    os.environ["COLUMNS"] = "100"
    pages = stale()
    if arguments.check:
        print("\n".join(f"{page} is stale: python tools/write_docs.py" for page in pages) or "nothing is stale")
        sys.exit(bool(pages))
    for name, (page, _) in PARTS.items():
        if page in pages:
            (ROOT / page).write_text(with_part(name))
            print(f"wrote {page}")


if __name__ == "__main__":
    main()
