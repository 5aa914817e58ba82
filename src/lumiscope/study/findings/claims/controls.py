"""Sentences that compare a model's units with those of the same architecture with random weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.runs import ControlRow, LayerRow, LowLevelRow
from lumiscope.statistics import ClusteredShare, clustered_share_test
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model, observed
from lumiscope.study.findings.registry import finding
from lumiscope.types import DoubleArray

NAMED = 5  # layers that a sentence spells out
NAMED_UNITS = 3  # of each
MARGIN = 0.01  # of the variance: a lead by less means nothing to a reader, however many units there are
TEST = (
    "ahead of each random network; and permutation of whole clusters of units, the model's (less 1 % of the variance) "
    "against those of all random networks. It is about these networks: so few cannot tell how far another would differ"
)


@finding("random_networks", order=53, needs=(LayerRow, ControlRow))
def random_networks(tables: Rows) -> Iterator[Claim]:
    """How many units got a label in each layer, and in the same layer with random weights."""
    controls = by_model(tables.rows(ControlRow))
    for model, rows in by_model(tables.rows(LayerRow)).items():
        layers = [row for row in rows if row.layer is not None and row.units]
        if model not in controls or not layers:
            continue
        random = {str(row.layer): _of_layer(controls[model], row.layer) for row in layers}
        parts = [
            f"{row.layer} {row.labelled} of {row.units} ({_listed(random[str(row.layer)])})" for row in layers[-NAMED:]
        ]
        some = any(number for numbers in random.values() for number in numbers)
        units = sum(row.units for row in layers)
        at_random = sum(map(sum, random.values())) / len(next(iter(random.values())))
        yield Claim(
            observed(
                f"{model}: units with a label, in brackets with random weights instead: {', '.join(parts)}.",
                "an untrained network gets labels, too, so their number alone is no sign of training"
                if some
                else "random weights alone earn none here",
            ),
            statistic="labelled units of all, less those with random weights",
            value=(sum(row.labelled for row in layers) - at_random) / units,
            tables="layers, controls",
        )


def _of_layer(rows: Sequence[ControlRow], layer: str | None) -> list[int]:
    """The labelled units of a layer in each control."""
    return [row.labelled for row in rows if row.layer == layer]


@dataclass(frozen=True)
class _Layer:
    """What labels explain in a layer: of the model's clusters of units, (C,), and of each control's.

    It is the share of a unit's variance on new images that its label explains beyond low-level features, 0 without a
    label, averaged over the units of a cluster. Units of which it cannot be told are left out.
    """

    trained: DoubleArray
    controls: tuple[DoubleArray, ...]

    @classmethod
    def of(cls, rows: Sequence[LowLevelRow]) -> _Layer:
        """`rows`: of the units of one layer."""
        by_seed: dict[int | None, dict[int, list[float]]] = {}
        for row in rows:
            clusters = by_seed.setdefault(row.seed, {})
            if row.survives is not None:
                clusters.setdefault(row.cluster, []).append(_explained(row))
        means = {
            seed: np.array([np.mean(values) for values in clusters.values()]) for seed, clusters in by_seed.items()
        }
        trained = means.pop(None)
        return cls(trained, tuple(means.values()))

    @property
    def told(self) -> bool:
        """Whether there is something to compare."""
        return all(values.size for values in (self.trained, *self.controls))

    @property
    def lead(self) -> float:
        """The model's mean, less the highest of the controls; NaN where there is nothing to compare."""
        return float(self.trained.mean() - max(map(np.mean, self.controls))) if self.told else math.nan

    @property
    def hypothesis(self) -> Hypothesis:
        """The model is ahead of every control, and by more than the margin of all of them together."""
        if not self.told:
            return Hypothesis(math.nan, 0, floors.never)
        random = np.concatenate(self.controls)
        p_value = 1.0
        if self.lead > MARGIN:
            first, second = (ClusteredShare(values, np.ones(len(values))) for values in (random, self.trained - MARGIN))
            _, p_value = clustered_share_test(first, second)
        return Hypothesis(p_value, len(random) + len(self.trained), floors.none)

    @property
    def shares(self) -> str:
        """The model's mean, in brackets those of the controls."""
        return f"{self.trained.mean():.0%} ({', '.join(f'{values.mean():.0%}' for values in self.controls)})"


def _explained(unit: LowLevelRow) -> float:
    """The share of its variance on new images that its label explains beyond low-level features; 0 without one."""
    return max(0.0, unit.partial_correlation) ** 2 if unit.label is not None else 0.0


@finding("units_beyond_random", order=55, needs=(LowLevelRow,))
def units_beyond_random(tables: Rows) -> Iterator[Claim]:
    """Which units of each layer their label explains better than it does any unit of the random networks."""
    for model, rows in by_model(tables.rows(LowLevelRow)).items():
        layers: dict[str, tuple[list[LowLevelRow], list[LowLevelRow]]] = {}
        for row in rows:
            if row.survives is not None:
                layers.setdefault(row.layer, ([], []))[row.seed is not None].append(row)
        told = {layer: sides for layer, sides in layers.items() if all(sides)}
        if told:
            yield _units_claim(model, told)


def _units_claim(model: str, layers: Mapping[str, tuple[list[LowLevelRow], list[LowLevelRow]]]) -> Claim:
    beyond = {
        layer: sorted((unit for unit in units if _explained(unit) > limit), key=_explained, reverse=True)
        for layer, (units, random) in layers.items()
        for limit in [max(map(_explained, random))]
    }
    parts = [
        f"{layer} {len(units)} of {len(layers[layer][0])}"
        + (f" (most of all {', '.join(f'{unit.unit} {unit.label}' for unit in units[:NAMED_UNITS])})" if units else "")
        for layer, units in list(beyond.items())[-NAMED:]
    ]
    return Claim(
        observed(
            f"{model}: units that their label explains better, beyond light, contrast, colour and edges, than any unit "
            f"of the random networks is explained by its own: {'; '.join(parts)}.",
            "look at these first for what training made"
            if any(beyond.values())
            else "no unit by itself tells of training",
        ),
        statistic="share of such units",
        value=sum(map(len, beyond.values())) / sum(len(units) for units, _ in layers.values()),
        tables="low_level",
    )


@finding("beyond_random", order=54, needs=(LowLevelRow,))
def beyond_random(tables: Rows) -> Iterator[Claim]:
    """In which layers of each model labels explain more, beyond low-level features, than in random networks."""
    for model, rows in by_model(tables.rows(LowLevelRow)).items():
        by_layer: dict[str, list[LowLevelRow]] = {}
        for row in rows:
            by_layer.setdefault(row.layer, []).append(row)
        layers = {name: _Layer.of(units) for name, units in by_layer.items()}
        if all(layer.controls for layer in layers.values()):
            yield _beyond_claim(model, layers)


def _beyond_claim(model: str, layers: Mapping[str, _Layer]) -> Claim:
    leads = {name: layer.lead for name, layer in layers.items() if layer.told}
    first = max(leads, key=lambda name: leads[name], default=next(iter(layers)))
    number = len(layers[first].controls)
    others = "a network with random weights" if number == 1 else f"each of {number} networks with random weights"
    more = f"labels explain more of what units do, beyond light, contrast, colour and edges, than in {others}"

    of = "of the variance, in brackets with random weights:"

    def told(names: Sequence[str]) -> str:
        return ", ".join(f"{name} {layers[name].shares}" for name in names)

    return Claim(
        answer(
            supported=lambda shown: f"{model}: {more}; {of} {told(shown)}.",
            undecided=f"{model}: that {more} is shown of no layer; {of} {told([first] if leads else [])}.",
            cannot_tell=f"{model}: whether {more} cannot be told: too few probing images had no part in the labels.",
            meaning="there the labels tell of training, as far as linear effects of such features can be taken out",
            otherwise="labels alone are no evidence of what this model learnt",
        ),
        hypotheses={name: layer.hypothesis for name, layer in layers.items()},
        statistic=f"mean share of variance explained in {first}, less the highest with random weights",
        value=leads.get(first, math.nan),
        test=TEST,
        tables="low_level",
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
