"""What a torch file may name: how tensors are rebuilt, and standard types that carry no code."""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING  # what pickle itself uses
from dataclasses import dataclass

import torch

REBUILDS = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"}
PARAMETERS = {"_rebuild_parameter", "_rebuild_parameter_with_state"}
SPARSE = "sparse (save tensor.to_dense())"
OTHER_TENSORS = {
    "_rebuild_device_tensor_from_cpu_tensor": "of another device (save tensor.cpu())",
    "_rebuild_device_tensor_from_numpy": "of another device (save tensor.cpu())",
    "_rebuild_meta_tensor_no_storage": "without numbers (of the device meta)",
    "_rebuild_nested_tensor": "nested (save its parts)",
    "_rebuild_qtensor": "quantised (save tensor.dequantize())",
    "_rebuild_sparse_csr_tensor": SPARSE,
    "_rebuild_sparse_tensor": SPARSE,
    "_rebuild_wrapper_subclass": "of a class of its own (save plain tensors)",
}
"""Tensors whose numbers are not read: what they are, and what to save instead."""
MAPPINGS = {"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict"}
STORAGES = {
    "BFloat16": torch.bfloat16,
    "Bool": torch.bool,
    "Byte": torch.uint8,
    "Char": torch.int8,
    "ComplexDouble": torch.complex128,
    "ComplexFloat": torch.complex64,
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "Int": torch.int32,
    "Long": torch.int64,
    "QInt32": torch.int32,
    "QInt8": torch.int8,
    "QUInt8": torch.uint8,
    "Short": torch.int16,
    "Untyped": torch.uint8,
}
"""The dtype of the storage classes `torch.FloatStorage` and so on; an untyped storage is counted in bytes."""

BUILTINS = "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple"
NUMPY_CORE = "multiarray._reconstruct multiarray.scalar numeric._frombuffer"
PATHS = "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath"
HARMLESS = {
    "argparse": "Namespace",
    "builtins": BUILTINS,
    "_codecs": "encode",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "numpy": "dtype ndarray",
    "numpy._core": NUMPY_CORE,
    "numpy.core": NUMPY_CORE,
    "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64 PCG64DXSM",
    "numpy.random._philox": "Philox",
    "numpy.random._sfc64": "SFC64",
    "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
    "pathlib": PATHS,
    "pathlib._local": PATHS,
    "torch": "Size Tensor device",
    "torch.nn.parameter": "Buffer Parameter",
    "torch._C": "Generator",
    "torch.serialization": "_get_layout",
    "torch._tensor": "_rebuild_from_type_v2",
    "torch._utils": " ".join(REBUILDS | PARAMETERS | OTHER_TENSORS.keys()),
    "types": "SimpleNamespace",
    "uuid": "UUID",
}
NUMPY_SCALARS = {"bool_", "bool", "str_", "bytes_", "complex64", "complex128", "float16", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


@dataclass(frozen=True)
class Name:
    """What a pickle names; it stands for itself, and is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


_KNOWN = {f"{module}.{name}" for module, names in HARMLESS.items() for name in names.split()}


def named(module: str, name: str) -> Name:
    """The name, by what Python 3 calls it."""
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return Name(module, name)


def is_harmless(name: Name) -> bool:
    """Whether a file of weights may name it."""
    return (
        str(name) in _KNOWN
        or storage_dtype(name) is not None
        or (name.module == "torch" and isinstance(torch_constant(name), torch.dtype | torch.qscheme))
        or (name.module == "numpy" and name.name in NUMPY_SCALARS)
        or (name.module == "numpy.dtypes" and name.name.endswith("DType"))
    )


def torch_constant(name: Name) -> object:
    """What `torch` has under this name, without importing anything; None for nothing."""
    return vars(torch).get(name.name)


def storage_dtype(name: object) -> torch.dtype | None:
    """The dtype of `torch.FloatStorage` and its like, also of `torch.cuda`; None for any other name."""
    if not isinstance(name, Name) or name.module not in ("torch", "torch.cuda", "torch.storage"):
        return None
    kind, storage, rest = name.name.partition("Storage")
    return STORAGES.get(kind) if storage and not rest else None
