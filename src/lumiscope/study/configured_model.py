"""From the tables of models in a study to the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lumiscope.models import BlackBox, TorchModel, check_asked, load_model
from lumiscope.study.config import ModelConfig


class ConfiguredModels(Mapping[str, TorchModel | BlackBox]):
    """The models of a study by name, each loaded when it is first asked for."""

    def __init__(self, configs: Mapping[str, ModelConfig]) -> None:
        self._configs = configs
        self._loaded: dict[str, TorchModel | BlackBox] = {}

    def check(self) -> None:
        """Look up what each is made of, as far as that needs no network. Errors: as `load_model`."""
        for config in self._configs.values():
            check_asked(
                config.spec,
                weights=config.weights,
                classes=config.classes,
                geometry=config.geometry,
                activation=config.activation,
                device=config.device,
            )

    def __getitem__(self, name: str) -> TorchModel | BlackBox:
        if name not in self._loaded:
            self._loaded[name] = load_configured(self._configs[name], name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._configs)

    def __len__(self) -> int:
        return len(self._configs)


def load_configured(config: ModelConfig, name: str) -> TorchModel | BlackBox:
    """Load the model that `config` describes and call it `name`."""
    return load_model(
        config.spec,
        name=name,
        weights=config.weights,
        weights_partial=config.weights_partial,
        classes=config.classes,
        num_classes=config.num_classes,
        model_options=config.options,
        mean=config.mean,
        std=config.std,
        input_size=config.input_size,
        geometry=config.geometry,
        interpolation=config.interpolation,
        activation=config.activation,
        output=config.output,
        bands=config.bands,
        shown_bands=config.shown_bands,
        device=config.device,
    )
