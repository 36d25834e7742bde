"""What needs libtorch; hedge.fit and hedge.evaluate load it on their first use."""

from os import PathLike
from typing import Optional

from ._native import OperatingPoint, Predictions, PromisedPoint

class FitResult:
    """A router with its policy."""

    @property
    def router(self) -> str:
        """Its kind: "gain", "linear", "selective_query" or a free score."""
    @property
    def router_onnx(self) -> bytes: ...
    @property
    def policy_json(self) -> str: ...
    @property
    def point(self) -> OperatingPoint: ...
    @property
    def promised(self) -> Optional[PromisedPoint]: ...
    @property
    def macs(self) -> int:
        """Multiply-accumulates of the router, an image."""
    @property
    def loss(self) -> float: ...
    @property
    def helps(self) -> int:
        """Images on which the cloud helps."""
    @property
    def hurts(self) -> int: ...

class Estimate:
    """A figure with its 95 % interval."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...

class JudgedMethod:
    @property
    def name(self) -> str: ...
    @property
    def accuracy(self) -> list[Estimate]:
        """At Judgement.coverages."""
    @property
    def area(self) -> Estimate:
        """Mean accuracy over the coverages 0.3 to 1."""
    @property
    def to_entropy(self) -> Estimate:
        """Its area less that of the free score entropy, paired."""
    @property
    def to_margin(self) -> Estimate: ...

class JudgedPoint:
    @property
    def threshold(self) -> float: ...
    @property
    def coverage(self) -> Estimate: ...
    @property
    def accuracy(self) -> Estimate: ...

class Judgement:
    """What an evaluation says; report.json and report.html say all of it."""

    @property
    def images(self) -> int: ...
    @property
    def base_accuracy(self) -> Estimate: ...
    @property
    def global_accuracy(self) -> Optional[Estimate]: ...
    @property
    def coverages(self) -> list[float]: ...
    @property
    def methods(self) -> list[JudgedMethod]: ...
    @property
    def operating_point(self) -> Optional[JudgedPoint]: ...
    @property
    def verdict(self) -> str: ...

def fit(
    table: Predictions,
    calibration: Predictions,
    held_out: Optional[Predictions],
    router: str,
    coverage: float,
    accuracy: Optional[float],
    promise: Optional[str],
    delta: float,
    fuse: bool,
    calibrate_temperature: bool,
    seed: int,
    epochs: int,
    threads: int,
    out: Optional[str | PathLike[str]],
    accept_risk: bool,
) -> FitResult: ...
def evaluate(
    table: Predictions, methods: list[tuple[str, str]], out: Optional[str | PathLike[str]], title: str, resamples: int
) -> Judgement: ...
