"""The sentences of the summary: each computed from tables, with its statistic, interval and test."""

from __future__ import annotations

import dataclasses

from lumiscope.runs import FindingRow
from lumiscope.study.findings.accuracy import accuracy
from lumiscope.study.findings.agreement import agreement
from lumiscope.study.findings.labels import labels
from lumiscope.study.stage import Tables

__all__ = ["find"]


def find(tables: Tables, fdr: float | None = None) -> list[FindingRow]:
    """Every finding that the tables support, numbered.

    `fdr`: the false discovery rate at which labels were tested; 1: they were not.
    """
    claims = [*accuracy(tables), *agreement(tables), *labels(tables, fdr)]
    return [dataclasses.replace(finding, number=number) for number, finding in enumerate(claims, 1)]
