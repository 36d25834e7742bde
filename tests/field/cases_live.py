"""What runs is what was judged: the cloud's model and the bundle's."""

import json

from networks import RECIPE, Network, levels
from world import check, right

CLASSES = ["a", "b", "c", "d"]
PERMUTED = ["c", "a", "d", "b"]


def hybrid(world, global_form=None, sidecar=None):
    """A bundle with its judged accuracy; (data, global's file, accuracy)."""
    levels(world.path("D/train"), CLASSES, seed=5)
    levels(world.path("D/test"), CLASSES, seed=6)
    data = f"folder:{world.path('D')}"
    base = Network(CLASSES, tilt=0.05).write(world.path("base.onnx"))
    other = Network(CLASSES, **(global_form or {})).write(world.path("global.onnx"))
    if sidecar:
        world.path("global.onnx.hedge.json").write_text(json.dumps({"schema": 1, **sidecar}))
    for outcome in (world.tables(data, base, other), world.fit(), world.bundle(base, other)):
        check(not outcome.refused, f"the bundle cannot be made: {outcome.said}")
    return data, other, world.judged()["operating_point"]["accuracy"]["value"]


def answers_alike(world, data, address, judged):
    check(address is not None, f"hedge-cloud refused: {world.cloud_log.read_text()[-300:]}")
    live = world.edge(f"{data}?split=test", address)
    right(live, "accuracy", judged, within=0.01)
    check(live.json["fallback"] == 0, f"{live.json['fallback']} queries fell back: {live.said}")
    check(live.json["cloud"] > 0, "no query was answered by the cloud")


def test_permuted_global(world):
    """The global has the same classes in another order.
    https://github.com/deeplearning4j/DataVec/issues/105"""
    data, other, judged = hybrid(world, {"order": PERMUTED})
    answers_alike(world, data, world.serve(other), judged)


def test_background_global(world):
    """The global has a background first.
    https://github.com/tensorflow/models/issues/2383"""
    data, other, judged = hybrid(world, {"order": ["", *PERMUTED]})
    answers_alike(world, data, world.serve(other), judged)


def test_sidecar_recipe(world):
    """The global's recipe stands in MODEL.hedge.json alone: hedge-cloud uses it.
    https://github.com/triton-inference-server/server/issues/3325"""
    data, other, judged = hybrid(world, {"recipe": {}}, sidecar={"recipe": RECIPE})
    answers_alike(world, data, world.serve(other), judged)


def test_sidecar_contradicts(world):
    """MODEL.hedge.json contradicts the file's metadata: the sidecar holds, at the cloud as in the table.
    https://github.com/triton-inference-server/server/issues/3325"""
    data, other, judged = hybrid(world, {"recipe": {**RECIPE, "mean": [0.5], "std": [0.25]}}, sidecar={"recipe": RECIPE})
    answers_alike(world, data, world.serve(other), judged)
