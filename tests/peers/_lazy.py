"""Modules that are imported when they are first used: the tables are read where no peer is installed."""

import importlib
import importlib.util
import sys
import types


class Lazy:
    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        return getattr(importlib.import_module(self._name), attribute)


torch = Lazy("torch")
F = Lazy("torch.nn.functional")


def load(path):
    """The object that a dotted path names."""
    module, name = path.rsplit(".", 1)
    if module.startswith("mmdet."):
        _open_mmdet()
    return getattr(importlib.import_module(module), name)


def open_bare(*packages):
    """Makes the files of packages importable without what the packages import: empty ones with the same search path."""
    (root,) = importlib.util.find_spec(packages[0]).submodule_search_locations
    for name in packages:
        module = types.ModuleType(name)
        module.__path__ = ["/".join([root, *name.split(".")[1:]])]
        sys.modules[name] = module


def _open_mmdet():
    """The losses of mmdet without mmcv, which has no build for the versions of torch tested here.

    The registry takes any class and keeps none.
    """
    if "mmdet" in sys.modules:
        return
    open_bare("mmdet", "mmdet.models", "mmdet.models.losses", "mmdet.structures", "mmdet.structures.bbox")
    registry = types.ModuleType("mmdet.registry")
    registry.MODELS = types.SimpleNamespace(register_module=lambda *_, **__: lambda cls: cls)
    sys.modules["mmdet.registry"] = registry
    boxes = importlib.import_module("mmdet.structures.bbox.bbox_overlaps")
    sys.modules["mmdet.structures.bbox"].bbox_overlaps = boxes.bbox_overlaps
