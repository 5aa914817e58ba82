"""Checkpoints as they lie about: the weights are found by comparing names and shapes with the network's own."""

from __future__ import annotations

import copy
from collections import OrderedDict

import pytest
import timm
import torch
from torch.nn.utils import prune, spectral_norm, weight_norm
from torch.optim.swa_utils import AveragedModel

from lumiscope.counts import counted
from lumiscope.errors import WeightsError
from lumiscope.models.weights import fit_weights, read_checkpoint


@pytest.fixture
def module(networks):
    return networks.seeded(networks.Residual, 1)


@pytest.fixture
def target(networks):
    return networks.seeded(networks.Residual, 2)


@pytest.fixture
def fitted(tmp_path):
    """Save `content`, and fit it to a network."""

    def fit(content, network, *, partial=False, hint=""):
        torch.save(content, tmp_path / "w.pt")
        return fit_weights(network, read_checkpoint(tmp_path / "w.pt"), partial=partial, hint=hint)

    return fit


def same(first, second):
    ours, theirs = first.state_dict(), second.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def under(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def names_of(module):
    return [key for key in module.state_dict() if not key.endswith("num_batches_tracked")]


CRITERION = {"criterion.weight": torch.ones(5), "val_acc.tp": torch.zeros(5)}


@pytest.mark.parametrize("beside", [{}, CRITERION], ids=["alone", "beside others"])
@pytest.mark.parametrize(
    "nest",
    [
        *[
            lambda state, key=key: {key: state, "epoch": 3}
            for key in (
                "net",
                "network",
                "weights",
                "params",
                "params_ema",
                "ema",
                "teacher",
                "model_state",
                "whatever",
                "x.y",
            )
        ],
        lambda state: [state, 3],
        lambda state: (3, {"a": {"b": state}}),
        lambda state: {"models": [{"weights": state}]},
    ],
)
def test_the_weights_are_found_wherever_they_are(module, target, fitted, nest, beside):
    fit = fitted(nest({**module.state_dict(), **beside}), target)
    assert same(target, module)
    assert fit.unloaded == frozenset()
    assert any("2 tensors beside the weights left over" in note for note in fit.notes) == bool(beside)


@pytest.mark.parametrize(
    "prefix",
    [
        "model.",
        "net.",
        "module.",
        "_orig_mod.",
        "model._orig_mod.",
        "module.model.",
        "_forward_module.model.",
        "a.b.c.",
    ],
)
@pytest.mark.parametrize("beside", [{}, CRITERION], ids=["alone", "beside others"])
def test_the_one_prefix_is_taken_off(module, target, fitted, prefix, beside):
    fit = fitted({"state_dict": {**under(prefix, module.state_dict()), **beside}, "optimizer_states": [{}]}, target)
    assert same(target, module)
    left = [note for note in fit.notes if "left over" in note]
    assert left == (
        ["2 tensors beside the weights left over: state_dict.criterion.weight, state_dict.val_acc.tp"] if beside else []
    )


@pytest.mark.parametrize(("count", "more"), [(3, ""), (4, ", … 1 more"), (5, ", … 2 more")])
def test_three_tensors_that_are_left_over_are_named(module, target, fitted, count, more):
    beside = {f"criterion.{letter}": torch.ones(2) for letter in "abcde"[:count]}
    assert fitted({**module.state_dict(), **beside}, target).notes == (
        f"{counted(count, 'tensor')} beside the weights left over: criterion.a, criterion.b, criterion.c{more}",
    )


def test_usual_nests_are_not_worth_a_note(module, target, fitted):
    assert fitted({"state_dict": under("module.", module.state_dict())}, target).notes == ()
    assert fitted({"state_dict": under("net.", module.state_dict())}, target).notes == (
        "'state_dict.net.' was taken off the names in w.pt",
    )


def test_averaged_models_of_torch(module, target, fitted):
    averaged = AveragedModel(module)
    averaged.update_parameters(module)
    assert "n_averaged" in averaged.state_dict()
    fit = fitted(averaged.state_dict(), target)
    assert same(target, module)
    assert fit.notes == ("1 tensor beside the weights left over: n_averaged",)


def test_a_network_in_a_wrapper_reads_files_without_it_and_the_other_way_round(module, target, fitted):
    wrapped = torch.nn.DataParallel(target)
    fitted(module.state_dict(), wrapped)
    assert same(target, module)


@pytest.mark.parametrize(
    ("averaged", "raw"),
    [
        ("state_dict_ema", "state_dict"), ("model_ema", "model"), ("ema", "model"), ("params_ema", "params"),
        ("teacher", "student"), ("ema_model", "online_model"), ("0.model_ema", "0.model"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", ["averaged", "raw"])
def test_averaged_weights_go_before_raw_ones_and_it_is_said(networks, module, target, fitted, averaged, raw, first):
    other = networks.seeded(networks.Residual, 3)
    pairs = [(averaged, module.state_dict()), (raw, other.state_dict())]
    fit = fitted(dict(pairs if first == "averaged" else pairs[::-1]), target)
    assert same(target, module)
    (note,) = fit.notes
    assert note.startswith(f"weights taken from '{averaged}.' of w.pt; those of '{raw}.' fit as well")


def test_of_candidates_the_one_that_fits_is_taken(module, target, fitted):
    teacher = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, 4))
    fit = fitted({"model_ema": teacher.state_dict(), "student": module.state_dict()}, target)
    assert same(target, module)
    assert fit.notes == ("'student.' was taken off the names in w.pt",)


@pytest.mark.parametrize("prefix", ["", "model."])
def test_an_incomplete_file_is_refused_and_nothing_is_loaded(networks, module, target, fitted, prefix):
    untouched = networks.seeded(networks.Residual, 2)
    state = dict(under(prefix, module.state_dict()))
    del state[f"{prefix}fc.bias"]
    fits = len(names_of(module)) - 1
    off = f" if '{prefix}' is taken off" if prefix else ""
    with pytest.raises(WeightsError, match=rf"{fits} of {fits + 1} keys fit{off}; 1 missing: fc\.bias\. "):
        fitted(state, target)
    assert same(target, untouched)


def test_keys_of_two_prefixes_are_no_network(module, target, fitted):
    state = module.state_dict()
    halves = [under(f"{name}.", dict(list(state.items())[part::2])) for part, name in enumerate("ab")]
    with pytest.raises(WeightsError, match="does not fit"):
        fitted({**halves[0], **halves[1]}, target)


@pytest.mark.parametrize("prefix", ["", "model."])
def test_the_file_of_a_larger_network_is_refused(module, target, fitted, prefix):
    state = under(prefix, {**module.state_dict(), "block.conv9.weight": torch.ones(2)})
    with pytest.raises(WeightsError, match=rf"1 unexpected: {prefix}block\.conv9\.weight\. The file is of a larger"):
        fitted(state, target)
    rows = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    with pytest.raises(WeightsError, match=r"2 unexpected: 2\.weight, 2\.bias"):
        fitted(rows.state_dict(), rows[:2])


def test_what_profilers_and_buffers_leave_is_no_larger_network(module, target, fitted):
    target.block.register_buffer("index", torch.zeros(3), persistent=False)
    state = {**module.state_dict(), "block.total_ops": torch.zeros(1), "block.index": torch.zeros(3)}
    assert fitted(state, target).notes == ()


def chain():
    """A network with a convolution, a transposed one and a linear layer, always the same."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ConvTranspose2d(4, 6, 3), torch.nn.Linear(6, 5)
    ).eval()


def derived(change):
    network = chain()
    for part in network:
        change(part)
    return network


def pruned(part):
    prune.l1_unstructured(part, "weight", 0.5)
    prune.l1_unstructured(part, "bias", 0.5)


PARAMETRIZATIONS = torch.nn.utils.parametrizations


@pytest.mark.parametrize(
    ("kind", "change", "count"),
    [
        ("weight norm", weight_norm, 3),
        ("weight norm", lambda part: weight_norm(part, dim=None), 3),
        ("weight norm", lambda part: weight_norm(part, dim=1), 3),
        ("weight norm", PARAMETRIZATIONS.weight_norm, 3),
        ("pruning", pruned, 6),
        ("spectral norm", spectral_norm, 3),
        ("spectral norm", PARAMETRIZATIONS.spectral_norm, 3),
    ],
)
@pytest.mark.parametrize("prefix", ["", "net."])
def test_derived_weights_are_folded(fitted, kind, change, count, prefix):
    network = derived(change).eval()
    network[0](torch.zeros(1, 3, 8, 8))
    network[1](torch.zeros(1, 4, 8, 8))
    network[2](torch.zeros(1, 6))
    plain = chain()
    fit = fitted(under(prefix, network.state_dict()), plain)
    assert f"{kind} folded in {count} weights" in fit.notes
    for part, of_file in zip(plain, network, strict=True):
        torch.testing.assert_close(part.weight, of_file.weight, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(part.bias, of_file.bias, atol=0, rtol=0)


def test_a_derived_network_takes_its_own_file_as_it_is(fitted):
    network = derived(weight_norm)
    with torch.no_grad():
        network[0].weight_g.mul_(2)
    assert fitted(network.state_dict(), (target := derived(weight_norm))).notes == ()
    assert torch.equal(target[0].weight_g, network[0].weight_g)


def test_old_weight_norm_goes_into_the_new_one_by_torchs_own_hook(fitted):
    network, target = derived(weight_norm), derived(PARAMETRIZATIONS.weight_norm)
    with torch.no_grad():
        network[0].weight_g.mul_(2)
    fit = fitted(network.state_dict(), target)
    assert fit.notes[0] == "names in w.pt changed by the network's own hooks for loading"
    assert torch.equal(target[0].parametrizations.weight.original0, network[0].weight_g)


def test_torchvisions_dense_nets_have_their_old_names(fitted):
    import torchvision

    def build(seed):
        torch.manual_seed(seed)
        return torchvision.models.DenseNet(8, (2, 2), 16, num_classes=5)

    network, target = build(0), build(1)
    old = {key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): v for key, v in network.state_dict().items()}
    assert any("denselayer1.norm.1.weight" in key for key in old)
    assert fitted({"state_dict": old}, target).notes == (
        "names in w.pt changed by torchvision's old names of DenseNet",
    )
    assert same(target, network)


@pytest.mark.parametrize(("over", "tried"), [(0, True), (1, False)])
def test_renamings_are_tried_on_files_of_up_to_four_times_the_networks_numbers(fitted, over, tried):
    import torchvision

    network, target = (torchvision.models.DenseNet(8, (2, 2), 16, num_classes=5) for _ in range(2))
    old = {key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): v for key, v in network.state_dict().items()}
    beside = 3 * sum(value.numel() for value in old.values()) + over
    content = {**old, "criterion.weight": torch.zeros(beside)}
    if tried:
        fitted(content, target)
        assert same(target, network)
    else:
        with pytest.raises(WeightsError, match="does not fit"):
            fitted(content, target)


def test_timms_own_filter_renames_and_resamples(fitted):
    """A vision transformer for 32 pixels in one for 64: 4 + 1 positions become 16 + 1."""
    keywords = {"patch_size": 16, "embed_dim": 12, "depth": 1, "num_heads": 2, "num_classes": 3}
    small = timm.models.VisionTransformer(img_size=32, **keywords)
    large = timm.models.VisionTransformer(img_size=64, **keywords)
    with torch.no_grad():
        small.pos_embed[:, 1:] = 0.25  # what is the same everywhere stays so when it is resampled
    fit = fitted(small.state_dict(), large)
    assert fit.notes[0] == "names in w.pt changed by timm's checkpoint_filter_fn"
    assert fit.notes[1] == "pos_embed resampled from (1, 5, 12) to (1, 17, 12)"
    torch.testing.assert_close(large.pos_embed[:, 1:], torch.full((1, 16, 12), 0.25))
    assert torch.equal(large.blocks[0].mlp.fc1.weight, small.blocks[0].mlp.fc1.weight)
    old = {key.replace("head.", "classifier."): value for key, value in small.state_dict().items()}
    with pytest.raises(WeightsError, match=r"2 missing: head\.weight, head\.bias"):  # all else fits once resampled
        fitted(old, large)


def test_torchvisions_vision_transformers_are_resampled(fitted):
    from torchvision.models import VisionTransformer

    small, large = (VisionTransformer(size, 16, 1, 2, 12, 24, num_classes=3) for size in (32, 64))
    fit = fitted(small.state_dict(), large)
    assert fit.notes[0] == "names in w.pt changed by torchvision's interpolate_embeddings"
    assert torch.equal(large.heads.head.weight, small.heads.head.weight)


class Versioned(torch.nn.Linear):
    """A part that takes a file without a version for an old one, as MNASNet's: it would double the weights."""

    _version = 2

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        if local_metadata.get("version") is None:
            state_dict[f"{prefix}weight"] = state_dict[f"{prefix}weight"] * 2
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


def test_names_that_are_the_networks_own_are_of_its_own_version(fitted):
    network, target = Versioned(2, 3), Versioned(2, 3)
    fitted(network.state_dict(), target)
    assert torch.equal(target.weight, network.weight)


class Stateful(torch.nn.Linear):
    """A part with state that is no tensor."""

    def get_extra_state(self):
        return {"calls": 3}

    def set_extra_state(self, state):
        self.calls = state["calls"]


def test_extra_state_stays_as_the_network_made_it(fitted):
    network, target = torch.nn.Sequential(Stateful(2, 3)), torch.nn.Sequential(Stateful(2, 3))
    fitted(network.state_dict(), target)
    assert torch.equal(target[0].weight, network[0].weight)


def test_fitting_all(module, target, fitted):
    assert fitted(module.state_dict(), target).notes == ()
    assert same(target, module)


def test_half_precision_weights_go_into_a_float32_network(module, target, fitted):
    fitted(copy.deepcopy(module).half().state_dict(), target)
    assert target.fc.weight.dtype == torch.float32
    assert torch.equal(target.fc.weight, module.fc.weight.half().float())


def test_counters_of_batches_may_be_missing(module, target, fitted):
    state = {key: value for key, value in module.state_dict().items() if "num_batches_tracked" not in key}
    assert len(state) == len(module.state_dict()) - 2
    assert fitted(state, target).notes == ()
    assert torch.equal(target.block.bn1.running_mean, module.block.bn1.running_mean)


def misfits(module):
    state = OrderedDict(module.state_dict())
    del state["stem.bias"], state["block.bn1.running_var"]
    state["block.extra"] = torch.ones(2)
    state["fc.weight"], state["fc.bias"] = torch.ones(7, 6), torch.ones(7)
    return state


def test_the_message_is_short_and_says_what_would_fit(module, target, fitted):
    total = len(names_of(module))
    with pytest.raises(WeightsError) as caught:
        fitted({"arch": "resnet18", "state_dict": misfits(module)}, target)
    assert str(caught.value).partition(" does not fit ")[2] == (
        f"this model: {total - 4} of {total} keys fit if 'state_dict.' is taken off; "
        "2 missing: stem.bias, block.bn1.running_var; 1 unexpected: state_dict.block.extra; "
        "2 of another shape: fc.weight (file (7, 6), model (4, 6)), fc.bias (file (7,), model (4,)). "
        "The file says that it is a 'resnet18'. "
        "The number of outputs differs; --num-classes 7 may be what is missing."
    )


def test_long_lists_have_three_examples(fitted):
    network = torch.nn.Sequential(*[torch.nn.Linear(1, 1) for _ in range(30)])
    with pytest.raises(WeightsError, match=r"0 of 60 keys fit; 60 missing: 0\.weight, 0\.bias, 1\.weight, … 57 more;"):
        fitted({"foo": torch.ones(1)}, network)


def test_partial_weights_load_what_fits(networks, module, target, fitted):
    untouched = networks.seeded(networks.Residual, 2)
    fit = fitted(misfits(module), target, partial=True)
    assert "2 missing" in fit.notes[-1]
    assert fit.unloaded == {"stem.bias", "block.bn1.running_var", "fc.weight", "fc.bias"}
    assert torch.equal(target.stem.weight, module.stem.weight)
    assert torch.equal(target.stem.bias, untouched.stem.bias)
    assert torch.equal(target.fc.weight, untouched.fc.weight)


@pytest.mark.parametrize("partial", [True, False])
def test_nothing_that_fits_is_an_error(module, fitted, partial):
    with pytest.raises(WeightsError, match="the file has 1: foo"):
        fitted({"foo": torch.ones(1)}, module, partial=partial)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (torch.Tensor.to_sparse, "sparse (save tensor.to_dense())"),
        (torch.Tensor.to_sparse_csr, "sparse (save tensor.to_dense())"),
        (
            lambda tensor: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8),
            "quantised (save tensor.dequantize())",
        ),
        (lambda tensor: tensor.to("meta"), "without numbers (of the device meta)"),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning", "ignore:.*quantiz.*")
def test_a_tensor_that_is_not_read_is_not_called_missing(tmp_path, change, kind):
    target = torch.nn.Linear(2, 3)
    state = target.state_dict()
    for prefix in ("", "model."):
        content = {prefix + "weight": change(state["weight"]), prefix + "bias": state["bias"], b"epoch": 3}
        torch.save(content, tmp_path / "w.pt")
        with pytest.raises(WeightsError) as caught:
            fit_weights(target, read_checkpoint(tmp_path / "w.pt"), partial=False)
        assert f"1 not read: weight is {kind}. " in str(caught.value)
        assert "missing" not in str(caught.value)
