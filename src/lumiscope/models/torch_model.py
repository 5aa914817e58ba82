"""A torch module as a vision model: preprocessing, layers and splits."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from lumiscope.errors import LayerError, ModelError
from lumiscope.images import Geometry, ImageItem, View
from lumiscope.models._network_digest import network_digest
from lumiscope.models._reading import Reading
from lumiscope.models._scores import read_scores
from lumiscope.models._session_cache import SessionCache
from lumiscope.models._target_layer import target_choice
from lumiscope.models.backends import Choice, Session, choose_backend, is_out_of_memory
from lumiscope.models.backends.registry import Precision
from lumiscope.models.channels import RGB, other_channels, runs
from lumiscope.models.guard import borrowed, check_real_weights, copied, kept, restored
from lumiscope.models.layers import EXPECTED, Layer, layout_of, trace_layers
from lumiscope.models.layout import Layout
from lumiscope.models.outputs import logits_of
from lumiscope.models.split import Split, named_part
from lumiscope.models.stages import check_layer_names, is_automatic, select_layers, stage_notes
from lumiscope.models.vision_model import Activation, unnamed_classes
from lumiscope.types import ByteArray, FedArray, FloatArray
from lumiscope.unit_address import CLASS_TOKEN

CONTRASTS = (1.0, 2.0, 0.1, 10.0)


class TorchModel:
    """A torch classifier with one image input and (B, classes) logits.

    `mean` and `std`: of RGB in [0, 1], one number or three; for a network of one channel of luminance, one number, or
    the mean of three. `classes`: one name a logit; None: numbered. `activation`: what makes probabilities of the
    logits; None: judged by their values on noise. `output`: which of several outputs are the scores; None: what fits
    the class names. `bands`: the numbers, from 0, of the bands of a file that the network is given, in its order; None:
    all, of a network of another number of channels than 1 and 3. `shown_bands`: the three that are shown; None: the
    first. `notes`: what was assumed or left out when it was loaded.

    A network that ends in a softmax or sigmoid is read before it, so that its scores are logits, too; where more comes
    after it, they are probabilities, and `activation` is "none". A network with a single logit z has the two classes
    "no" (-z) and "yes" (z), each with the sigmoid of its score; one with a single probability p has 1 - p and p.
    `headless`: it has no classes; its numbers are features. `alone`: images run one by one, as the network mixes them.
    `untrained`: why its scores say nothing of classes; "" where they do.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        geometry: Geometry,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        classes: tuple[str, ...] | None = None,
        activation: Activation | None = None,
        output: str | None = None,
        bands: Sequence[int] | None = None,
        shown_bands: Sequence[int] | None = None,
        name: str = "model",
        spec: str = "module",
        options: Mapping[str, object] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.module = module
        self.geometry = geometry
        self.name = name
        self.spec = spec
        self.options = dict(options or {})
        check_real_weights(module, spec)
        self.untrained = ""
        names = None if classes is None else len(classes)
        self.scores = read_scores(
            self._in_float32(),
            self._contrasts,
            spec,
            channels=None if bands is None else len(bands),
            names=names,
            output=output,
            activation=activation,
        )
        self.network = self.scores.network
        self.channels = self.scores.channels
        self.reading = Reading.of(self.channels, spec, mean=mean, std=std, bands=bands, shown=shown_bands)
        self.mean, self.std = self.reading.mean, self.reading.std
        self.notes = (*notes, *(note for note in (*self.reading.notes, *self.scores.notes) if note not in notes))
        self.activation: Activation = self.scores.activation
        self.alone = self.scores.alone
        count, single = self.scores.count, self.scores.single
        if classes is not None and len(classes) != count:
            raise ModelError(
                f"expected {count} class names for {spec}, one a logit; got {len(classes)}. "
                "Check --classes FILE (one name a line) and --num-classes."
            )
        unnamed = tuple(f"feature {index}" for index in range(count)) if self.headless else unnamed_classes(count)
        self.classes = classes or (("no", "yes") if single else unnamed)

    @property
    def headless(self) -> bool:
        """Whether it is a backbone: its numbers are features of an image, no scores of classes."""
        return self.scores.headless

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sha256 (hex) of spec, options, weights, preprocessing and the user's own code of the network."""
        said = [self.spec, self.options, repr(self.geometry), self.mean, self.std, type(self.module).__qualname__]
        said += [self.activation] if self.activation != "softmax" else []
        return network_digest(self.module, [*said, *self.scores.facts, *self.reading.facts])

    def view(self, item: ImageItem) -> View:
        """Return what the model sees of `item`. Errors: `ImageError`, also for a picture where bands are wanted."""
        return self.reading.view(item, self.geometry)

    def inputs(self, views: Sequence[View] | FedArray) -> torch.Tensor:
        """Return (N, channels, H, W) float32, channels-last: pixels / 255, minus mean, divided by std.

        For a network of one channel: of the pixels' luminance; for one of bands: of these, (N, h, w, n) float32, as
        they are.
        """
        stacked = views if isinstance(views, np.ndarray) else np.stack([view.fed for view in views])
        fed = self.reading.channels_of(stacked)
        stored = torch.from_numpy(np.ascontiguousarray(fed)).permute(0, 3, 1, 2)
        tensor = stored.to(self.device, torch.float32, copy=True)
        if fed.dtype == np.uint8:
            tensor = tensor.div_(255)
        mean = torch.tensor(self.mean, device=self.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=self.device).view(1, -1, 1, 1)
        return tensor.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)

    def _in_float32(self) -> torch.nn.Module:
        """The module in float32: itself, or a copy where its own weights are of another width.

        A network that casts what it is given to the width of its weights runs as it is alone, and so it does.
        """
        tensors = (value for value in self.module.state_dict().values() if isinstance(value, torch.Tensor))
        kinds = {value.dtype for value in tensors if value.is_floating_point()}
        if kinds <= {torch.float32}:
            return self.module
        copy = copied(self.module).float()
        return copy if self._runs(copy) or not self._runs(self.module) else self.module

    def _runs(self, network: torch.nn.Module) -> bool:
        with restored(network), borrowed(network), kept(network):
            if runs(network, self._noise(RGB)):
                return True
            return other_channels(network, self._noise, self.spec) is not None

    @property
    def device(self) -> torch.device:
        """Where the module is."""
        return next((parameter.device for parameter in self.module.parameters()), torch.device("cpu"))

    @functools.cached_property
    def _sessions(self) -> SessionCache:
        return SessionCache(self.network, self.device, self.geometry.input_size, self._example, alone=self.alone)

    @property
    def reference(self) -> Session:
        """The network as it is, run by torch in float32: what every other way to run it is measured by."""
        return self._sessions.reference

    def session(self, choice: Choice | None = None) -> Session:
        """The way to run the model that was chosen, made once; None: the reference."""
        return self._sessions.session(choice)

    def choose_backend(
        self,
        asked: str = "auto",
        precision: Precision = "exact",
        views: Sequence[View] = (),
        *,
        among: Sequence[str] | None = None,
    ) -> Choice:
        """Choose what runs the model, after a check on real views (noise where there are none); see `choose_backend`.

        `among`: the backends that "auto" tries; None: all. No more views are looked at than a batch holds, and half as
        many where memory runs out.
        """
        inputs = (self.inputs(views) if views else self._example(2))[: self.batch_size]
        while True:
            try:
                return choose_backend(asked, precision, self.device.type, self._sessions.runner, inputs, among)
            except (RuntimeError, MemoryError) as error:
                if len(inputs) == 1 or not is_out_of_memory(error):
                    raise
                inputs = inputs[: len(inputs) // 2]

    @property
    def batch_size(self) -> int:
        """How many views a forward pass of the network as it is takes at once: few large ones, more small ones."""
        return self._sessions.batch_size("eager")

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run normalised (N, 3, H, W) inputs in batches; (N, classes) float32 logits, without gradients."""
        return self.reference.logits(inputs)

    def differentiable_logits(self) -> torch.Tensor:
        """(1, classes) logits of noise, of which autograd tells what weights they depend on."""
        with torch.enable_grad():
            return logits_of(self.network(self._example(1)))

    def predict(self, views: Sequence[View] | ByteArray) -> FloatArray:
        """Return (N, classes) float32 raw logits of views, or of (N, h, w, 3) uint8 pixels of their size."""
        logits = self.reference.logits_of(lambda start, stop: self.inputs(views[start:stop]), len(views))
        return logits.cpu().numpy()

    @functools.cached_property
    def layers(self) -> list[Layer]:
        """Every layer that a forward pass runs, in the order in which they finish."""
        # two images, since with one what has one row for any batch would look like one row an image
        return trace_layers(self.network, self._example(2))

    @functools.cached_property
    def target_layer(self) -> str:
        """Where the CAM family looks unless told otherwise; see `target_choice`. Errors: `LayerError` for no maps."""
        choice = target_choice(self.layers, self.network, self._example(1))
        self._note(*stage_notes(self.layers), *choice.notes)
        return choice.layer.name

    def select_layers(self, wanted: Sequence[str]) -> list[str]:
        """Turn names, wildcards, `auto` and `auto:5` into layer names; see `select_layers`.

        What is to be said of an automatic choice is noted.
        """
        if any(is_automatic(text) for text in wanted):
            self._note(*stage_notes(self.layers))
        return select_layers(wanted, self.layers, lambda: self.target_layer)

    def _note(self, *notes: str) -> None:
        self.notes = tuple(dict.fromkeys((*self.notes, *notes)))

    def check_layers(self, wanted: Sequence[str]) -> None:
        """Look up names and wildcards among the parts of the network, without a forward pass; see `select_layers`.

        Errors: `UnknownNameError` with the nearest names.
        """
        check_layer_names(wanted, [name for name, _ in self.network.named_modules() if name])

    def layer(self, name: str) -> torch.nn.Module:
        """Return the module called `name`. Errors: `UnknownNameError` with the nearest names."""
        return named_part(self.network, name)

    def split(self, layer: str) -> Split:
        """Cut the network as it is at `layer`, once; the cut is checked on two noise images."""
        return self.reference.split(layer)

    def layout(self, layer: str) -> Layout:
        """How the output of `layer` becomes (B, C, h, w) maps. Errors: `LayerError` where it holds no map."""
        self.layer(layer.removesuffix(CLASS_TOKEN))
        if layer.endswith(CLASS_TOKEN):
            raise LayerError(f"{EXPECTED}; {layer} is a single token")
        return layout_of(layer, self.layers)

    def spatial_layer(self, name: str | None) -> str:
        """Return `name`, or the automatic target layer, if its output holds a map. Errors: `LayerError` otherwise."""
        chosen = name or self.target_layer
        try:
            self.layout(chosen)
        except LayerError as error:
            raise LayerError(f"{error}. The automatic choice for {self.name} is {self.target_layer}.") from error
        return chosen

    def _example(self, count: int) -> torch.Tensor:
        return self._noise(self.channels, count)

    def _noise(self, channels: int, count: int = 2) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        height, width = self.geometry.input_size
        noise = torch.randn(count, channels, height, width, generator=generator)
        return noise.contiguous(memory_format=torch.channels_last).to(self.device)

    def _contrasts(self, channels: int) -> torch.Tensor:
        """(4, channels, H, W): noise of several contrasts, by which the scores are judged."""
        factors = torch.tensor(CONTRASTS, device=self.device).view(-1, 1, 1, 1)
        return self._noise(channels, len(CONTRASTS)) * factors
