"""Fitting routers and judging them. This needs libtorch, which is loaded on the first call."""

from __future__ import annotations

import importlib
import os
import typing

from ._native import Predictions

if typing.TYPE_CHECKING:
    from ._workbench import FitResult, Judgement

Path = typing.Union[str, "os.PathLike[str]"]


def _load():
    try:
        return importlib.import_module("hedge._workbench")
    except ImportError as error:
        raise ImportError(
            "hedge.fit and hedge.evaluate need libtorch and a package that was built with the workbench: install Debian's libtorch1.13, or "
            f"build the package where Hedge's workbench is built (make build). The loader says: {error}"
        ) from error


def fit(
    table: Predictions,
    calibration: Predictions,
    *,
    held_out: Predictions | None = None,
    router: str = "auto",
    coverage: float = 0.8,
    accuracy: float | None = None,
    promise: str | None = None,
    delta: float = 0.05,
    fuse: bool = False,
    calibrate_temperature: bool = False,
    seed: int = 1,
    epochs: int = 0,
    threads: int = 0,
    out: Path | None = None,
    accept_risk: bool = False,
) -> FitResult:
    """Fits a router on predictions and calibrates its threshold on others.

    table: of the training set, in evaluation mode, or of images that the models have not seen. calibration: images that neither models nor
    router have used; the threshold comes from them. held_out: chooses a router, fuses and finds temperatures; without it half of the
    calibration's images do, where that is needed. router: "auto" (the best on held-out predictions), "gain", "linear", "selective_query" or
    a free score. coverage: at least this share stays on the device; or accuracy: the highest coverage with this accuracy; or promise, such as
    "coverage>=0.8": what new images get with probability 1 - delta. out: a folder for router.onnx and policy.json, which `hedge bundle`
    takes. accept_risk: go on where base or global is not above chance on the calibration images, which is an error ("alarm") otherwise; the
    policy records it.
    """
    return _load().fit(
        table, calibration, held_out, router, coverage, accuracy, promise, delta, fuse, calibrate_temperature, seed, epochs, threads, out, accept_risk
    )


def evaluate(
    table: Predictions,
    hybrids: Path | typing.Mapping[str, Path] | None = None,
    *,
    out: Path | None = None,
    title: str = "Hedge",
    resamples: int = 1000,
) -> Judgement:
    """Judges routers on images that nothing was trained, fitted or calibrated on.

    hybrids: a folder of fit, or several by name (lower case, digits and "_"); a free score's name does too. None: the free scores alone.
    out: a folder for report.html, report.json and curve.csv. resamples: of the bootstrap, 100 or more.
    """
    if hybrids is None:
        methods = []
    elif isinstance(hybrids, typing.Mapping):
        methods = [(name, os.fspath(folder)) for name, folder in hybrids.items()]
    else:
        methods = [("hybrid", os.fspath(hybrids))]
    return _load().evaluate(table, methods, out, title, resamples)
