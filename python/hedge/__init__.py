"""Hybrid edge-cloud inference for image classification.

A small base model answers on the device; a router sends to the global model in the cloud what the base would get wrong.

    runtime = hedge.Runtime("bundle", cloud="localhost:8001")
    answer = runtime.answer("image.png")
"""

from ._native import (
    Answer,
    AnswerTimes,
    Error,
    OperatingPoint,
    Predictions,
    PromisedPoint,
    Runtime,
    RuntimeStatistics,
    __version__,
)
from .workbench import evaluate, fit

__all__ = [
    "Answer",
    "AnswerTimes",
    "Error",
    "OperatingPoint",
    "Predictions",
    "PromisedPoint",
    "Runtime",
    "RuntimeStatistics",
    "__version__",
    "evaluate",
    "fit",
]
