"""The choice between backends: the first whose logits are right, what falls back on what, and the reason in words."""

from __future__ import annotations

import importlib.util
import logging
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from lumiscope.models import available_backends
from lumiscope.models.backends import choose_backend
from lumiscope.models.backends.torch_backend import run_folded


def runners(**broken):
    """Backends that give the row sums of their input, but for those that are `broken`."""

    def build(name, numbers):
        if isinstance(broken.get(name), Exception):
            raise broken[name]
        return lambda inputs: inputs.flatten(1).sum(1, keepdim=True) * torch.ones(1, 3) + broken.get(name, 0)

    return build


def test_falls_back_over_backends_that_break_or_are_wrong_and_says_why(caplog):
    caplog.set_level(logging.INFO)
    inputs = torch.ones(2, 3, 4, 4)  # every logit is 48
    first, second, *_ = order = available_backends("cpu")
    build = runners(**{first: RuntimeError("no such operation: Frobnicate\nat line 3"), second: 1.0})
    choice = choose_backend("auto", "exact", "cpu", build, inputs)
    assert choice.backend == order[2]
    assert f"{first} in float32: it cannot run this network (RuntimeError: no such operation: Frobnicate)" in choice.why
    assert f"{second} in float32: logits differ from torch float32 by 2.1e-02 of the largest (allowed: 0.0001)" in (
        choice.why
    )
    assert f"{order[2]} in float32: logits differ from torch float32 by 0.0e+00" in choice.why


@pytest.mark.parametrize(("off", "numbers"), [(0.4, "half"), (0.5, "float32")])
def test_fast_takes_half_precision_where_it_is_near_enough(off, numbers):
    exact = runners()

    def build(name, wanted):
        run = exact(name, wanted)
        return lambda inputs: run(inputs) + (off if wanted == "half" else 0)

    choice = choose_backend("torch", "fast", "cuda", build, torch.ones(2, 3, 4, 4))  # every logit is 48
    assert (choice.backend, choice.precision, choice.numbers) == ("torch", "fast", numbers)
    assert choice.error == pytest.approx(off / 48 if numbers == "half" else 0, rel=1e-4)
    if numbers == "float32":
        assert "torch in half: logits differ from torch float32 by 1.0e-02 of the largest (allowed: 0.01)" in choice.why


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (AssertionError(), "cannot run this network (AssertionError: no reason given)"),
        (torch.nan, "its logits are not finite"),
        (torch.zeros(2, 1, 1), "of another shape"),
        (100.0, "logits differ from torch float32 by 2.1e+00 of the largest (allowed: 0.0001)"),
    ],
)
def test_a_backend_that_was_asked_for_and_cannot_serve(problem, reason, caplog):
    choice = choose_backend("torch", "exact", "cpu", runners(torch=problem), torch.ones(2, 3, 4, 4))
    assert (choice.asked, choice.backend, choice.error) == ("torch", "eager", 0.0)
    assert reason in choice.why
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_where_nothing_else_serves_the_network_runs_as_it_is():
    build = runners(**{name: RuntimeError("no") for name in available_backends("cpu") if name != "eager"})
    choice = choose_backend("auto", "exact", "cpu", build, torch.ones(2, 3, 4, 4))
    assert choice.backend == "eager"
    assert choice.why.count("RuntimeError: no") == len(available_backends("cpu")) - 1
    assert choose_backend("eager", "exact", "cpu", build, torch.ones(2, 3, 4, 4)).why == "asked for"


def test_scores_of_zero_have_no_largest_to_divide_by():
    choice = choose_backend("torch", "exact", "cpu", runners(torch=1e-5), torch.zeros(2, 3, 4, 4))
    assert (choice.backend, choice.error) == ("torch", pytest.approx(1e-5))


def test_a_package_that_is_missing(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "openvino" else find_spec(name, *rest)
    )
    assert "openvino" not in available_backends("cpu")
    choice = choose_backend("openvino", "exact", "cpu", runners(), torch.ones(2, 3, 4, 4))
    assert (choice.backend, choice.why) == ("eager", "openvino in float32: the package openvino is not installed")


def test_a_device_that_a_backend_does_not_run_on():
    assert available_backends("cuda") == ["torch", "eager"]
    choice = choose_backend("openvino", "exact", "cuda", runners(), torch.ones(2, 3, 4, 4))
    assert (choice.backend, choice.why) == ("eager", "openvino in float32: it does not run on cuda")


@pytest.mark.parametrize(
    ("device", "numbers", "autocast", "weights"),
    [
        ("cpu", "half", False, torch.bfloat16),
        ("cpu", "float32", False, torch.float32),
        ("cuda", "half", True, torch.float32),
        ("cuda", "float32", False, torch.float32),
        ("mps", "half", True, torch.float32),
    ],
)
def test_half_is_bfloat16_on_a_cpu_and_autocast_elsewhere(device, numbers, autocast, weights, monkeypatch):
    asked, fed = [], []
    monkeypatch.setattr(torch, "autocast", lambda kind, enabled: asked.append((kind, enabled)) or nullcontext())
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    network.register_forward_pre_hook(lambda _, inputs: fed.append(inputs[0].dtype))
    run = run_folded(network, SimpleNamespace(device=torch.device(device)), numbers)
    assert run(torch.ones(1, 3, 2, 2)).dtype == torch.float32
    assert (asked, fed) == ([(device, autocast)], [weights])
    assert network[1].weight.dtype == torch.float32, "the user's own network stays as it is"
