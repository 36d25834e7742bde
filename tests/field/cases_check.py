"""What `hedge check` finds: a model that is not prepared as it was trained, or that is not what it is called."""

import json

from networks import RECIPE, Network, levels
from world import check, refused, right

CLASSES = ["a", "b", "c", "d"]


def checked(world, form=None, classes=None, *arguments):
    """`hedge check` of one form of the network on images of the levels."""
    levels(world.path("D"), CLASSES, each=60, spread=0.4)
    model = Network(classes or CLASSES, **(form or {})).write(world.path("m.onnx"))
    return world.hedge("check", model, "--data", f"folder:{world.path('D')}?split=all", "--threads", 1, *arguments)


def alarm(outcome, pattern):
    check(outcome.refused and outcome.code < 100, f"exit status {outcome.code}, which is no alarm: {outcome.said[-300:]}")
    check(outcome.says(pattern), f"not said /{pattern}/: {(outcome.out + outcome.said)[-600:]}")


def test_right_model(world):
    """A right model raises no alarm.
    https://github.com/triton-inference-server/server/issues/1184"""
    outcome = checked(world)
    check(not outcome.refused, f"a false alarm: {(outcome.out + outcome.said)[-600:]}")


def test_wrong_mean(world):
    """Trained on pixels in -1..1 and described with pixels in 0..1.
    https://github.com/onnx/onnx/issues/1440"""
    # The network is exact on 0..1; its recipe says -1..1.
    alarm(checked(world, {"recipe": {**RECIPE, "mean": [0.5], "std": [0.5]}}), "mean")


def test_not_divided(world):
    """Trained on pixels in 0..255.
    https://github.com/triton-inference-server/server/issues/3325"""
    alarm(checked(world, {"recipe": {**RECIPE, "std": [1 / 255]}}), "255|std|mean")


def test_at_chance(world):
    """A network that always answers the same class.
    https://github.com/mohaseeb/shaplets-python/issues/17"""
    alarm(checked(world, {"bias": 1e4}), "chance|always")


def test_exchanged_classes(world):
    """Two names are exchanged.
    https://github.com/cugbrs/MLRSNet/issues/4"""
    outcome = checked(world, None, ["b", "a", "c", "d"])
    alarm(outcome, "exchanged|swapped")


def test_shifted_classes(world):
    """The names are shifted by one, as where a background was forgotten.
    https://github.com/tensorflow/tpu/issues/594"""
    alarm(checked(world, None, ["d", "a", "b", "c"]), "shift|order")


def test_layout_fixed(world):
    """The layout was said wrongly: found, and --fix writes the right one beside the model.
    https://github.com/pytorch/glow/pull/1651"""
    levels(world.path("D"), CLASSES, each=60, spread=0.4)
    data = f"folder:{world.path('D')}?split=all"
    model = Network(CLASSES, layout="NHWC", channels=3, size="side", recipe={**RECIPE, "channels": 3, "mean": [0.0] * 3, "std": [1.0] * 3})
    path = model.write(world.path("m.onnx"))
    world.path("m.onnx.hedge.json").write_text('{"schema": 1, "input_layout": "nchw", "macs": 7}')
    refused(world.predict(data, path, path), "layout")
    found = world.hedge("check", path, "--data", data, "--threads", 1, "--fix")
    check(not found.refused and found.says("NHWC alone"), f"neither mended nor said: {found.out + found.said}")
    sidecar = json.loads(world.path("m.onnx.hedge.json").read_text())
    check(sidecar["input_layout"] == "nhwc" and sidecar["macs"] == 7, f"the sidecar: {sidecar}")
    right(world.predict(data, path, path), "base_accuracy", 1.0)


def test_accepted_risk(world):
    """--accept-risk goes on.
    https://github.com/triton-inference-server/server/issues/3325"""
    outcome = checked(world, {"bias": 1e4}, None, "--accept-risk")
    check(not outcome.refused, f"exit status {outcome.code} in spite of --accept-risk")
    check(outcome.says("chance|always"), "the alarm is not said")
