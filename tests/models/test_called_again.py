"""A trunk that runs again, for a mask or another output, is looked at where the scores depend on it."""

from __future__ import annotations

import pytest
import torch

import lumiscope
from lumiscope.dissection import collect_activations, map_probe, unit_probe
from lumiscope.models import split, unit_model
from lumiscope.models._target_layer import target_layer
from lumiscope.models.deciding_run import deciding_run
from lumiscope.models.layers import trace_layers

AGAIN = pytest.mark.parametrize(
    ("again", "run", "kind"),
    [("never", None, "graph"), ("before", None, "graph"), ("after", 0, "graph"), ("wild", 0, "rerun")],
)


@pytest.fixture
def build(networks):
    return lambda again: networks.seeded(lambda: networks.CalledAgain(again=again)).requires_grad_(False)


@AGAIN
@pytest.mark.parametrize("layer", ["trunk", "trunk.2"])
def test_it_is_cut_where_the_scores_depend_on_it(build, batch, again, run, kind, layer):
    network = build(again)
    assert deciding_run(network, network.get_submodule(layer), batch) == run
    halves = split(network, layer, batch)
    assert (halves.kind, halves.run) == (kind, run)
    cut = halves.trunk(batch)
    features = network.trunk[:3](batch) if layer == "trunk.2" else network.trunk(batch)
    torch.testing.assert_close(cut.activations, features)
    nothing = cut.row(0).with_activations(torch.zeros_like(features[:1]))
    torch.testing.assert_close(halves.head(nothing), network.fc.bias[None])


@AGAIN
def test_its_layers_are_those_of_a_network_that_runs_it_once(build, batch, again, run, kind):
    once, network = build("never"), build(again)
    layers = {layer.name: layer for layer in trace_layers(network, batch)}
    for layer in trace_layers(once, batch):
        came = layers[layer.name]
        assert (came.shape, came.on_path, came.trunk, came.around) == (layer.shape, True, layer.trunk, layer.around)
        assert came.run == (run if layer.name.startswith("trunk") else None)
    assert target_layer(list(layers.values()), network, batch[:1]).name == "trunk"


@AGAIN
def test_its_units_are_read_there(build, batch, again, run, kind):
    geometry = lumiscope.images.Geometry(tuple(batch.shape[2:]))
    model = lumiscope.TorchModel(build(again), geometry, mean=(0.5,) * 3, std=(0.5,) * 3)
    network = model.network
    probes = {"units": unit_probe(model, "trunk"), "maps": map_probe(model, "trunk")}
    (read,) = collect_activations([batch], network, probes)
    expected = network.trunk(batch).detach()
    torch.testing.assert_close(torch.from_numpy(read["maps"]), expected)
    torch.testing.assert_close(torch.from_numpy(read["units"]), expected.mean((2, 3)))
    units, _ = unit_model(model, "trunk:2")
    torch.testing.assert_close(units.network(batch).detach(), expected.mean((2, 3)))
