"""The order of classes: what each output of a model stands for."""

import json
import shutil

from networks import Network, levels
from world import check, refused, right, right_or_refused

CLASSES = ["a", "b", "c", "d"]
PERMUTED = ["c", "a", "d", "b"]


def pair(world, **global_form):
    """A data set, a base that errs near the borders, and a global that does not."""
    levels(world.path("D"), CLASSES)
    base = Network(CLASSES, tilt=0.05).write(world.path("base.onnx"))
    return f"folder:{world.path('D')}", base, Network(CLASSES, **global_form).write(world.path("global.onnx"))


def names_file(world, names):
    world.path("names.txt").write_text("".join(f"{name}\n" for name in names))
    return world.path("names.txt")


def test_permuted_global(world):
    """The global has the base's classes in another order, and both name them: placed by name.
    https://github.com/deeplearning4j/DataVec/issues/105"""
    data, base, other = pair(world, order=PERMUTED)
    right(world.predict(data, base, other), "global_accuracy", 1.0)


def test_superset_global(world):
    """The global knows more classes than the base: those are never answered.
    https://github.com/CSAILVision/places365/issues/22"""
    data, base, other = pair(world, order=["", *PERMUTED, ""])
    right(world.predict(data, base, other), "global_accuracy", 1.0)


def test_class_missing(world):
    """The global lacks a class of the base: refused, with the class.
    https://github.com/CSAILVision/places365/issues/22"""
    data, base, other = pair(world, order=["c", "a", "d"])
    refused(world.predict(data, base, other), r"class.*\bb\b")


def test_background_first(world):
    """One output more than names, as in TensorFlow's ImageNet models: the first is a background.
    https://github.com/ageron/handson-ml/issues/61"""
    data, base, other = pair(world, order=["", *CLASSES], names=False)
    right(world.predict(data, base, other, "--global-labels", names_file(world, CLASSES)), "global_accuracy", 1.0)


def test_background_without_names(world):
    """The same, and nobody names the outputs: refused, since a background may be first or last.
    https://github.com/tensorflow/tpu/issues/521"""
    data, base, other = pair(world, order=["", *CLASSES], names=False)
    right_or_refused(world.predict(data, base, other), "global_accuracy", 1.0, "label|names|background")


def test_names_of_a_newer_opset(world):
    """A file of an opset or IR version that is newer than this program knows: its class names hold all the same.
    https://github.com/microsoft/onnxruntime/issues/20559"""
    for opset, ir_version in ((22, 10), (23, 11), (24, 12)):
        data, base, other = pair(world, order=PERMUTED, opset=opset, ir_version=ir_version)
        right(world.predict(data, base, other), "global_accuracy", 1.0)


def test_names_as_object(world):
    """Class names as {name: index}, as Keras' class_indices has them.
    https://github.com/deeplearning4j/DataVec/issues/105"""
    data, base, other = pair(world, order=PERMUTED, names=False)
    names = world.path("indices.json")
    names.write_text(json.dumps({name: place for place, name in enumerate(PERMUTED)}))
    right(world.predict(data, base, other, "--global-labels", names), "global_accuracy", 1.0)


def test_flag_at_predict_only(world):
    """Names that were given to `hedge predict` alone hold in the bundle as well: what runs is what was judged.
    https://github.com/CSAILVision/places365/issues/22"""
    data, base, other = pair(world, order=PERMUTED, names=False)
    check(not world.tables(data, base, other, "--global-labels", names_file(world, PERMUTED)).refused, "hedge predict refused")
    check(not world.fit().refused, "hedge fit refused")
    outcome = world.bundle(base, other)
    if outcome.refused:
        return refused(outcome, "labels|names")
    address = world.serve(other)
    check(address is not None, "hedge-cloud does not serve")
    live = world.edge(f"{data}?split=test", address)
    judged = world.judged()["operating_point"]["accuracy"]["value"]
    right(live, "accuracy", judged, within=0.01)
    return None


def test_capitals_and_separators(world):
    """Folders and names differ in capitals and separators alone, and the outputs have another order: placed by name.
    https://github.com/roboflow/supervision/issues/1641"""
    levels(world.path("D"), ["Big_Cat", "Hen", "Owl", "small-dog"])
    model = Network(["big cat", "hen", "owl", "small dog"], order=["owl", "big cat", "small dog", "hen"]).write(world.path("m.onnx"))
    outcome = world.predict(f"folder:{world.path('D')}?split=all", model, model)
    right(outcome, "base_accuracy", 1.0)
    check(outcome.says("capitals"), f"not said: {outcome.said}")


def test_class_without_test_images(world):
    """The test split lacks a class: the others keep their places.
    https://github.com/ultralytics/ultralytics/issues/13936"""
    levels(world.path("D/train"), CLASSES, seed=5)
    levels(world.path("D/test"), CLASSES, seed=6)
    shutil.rmtree(world.path("D/test/b"))
    model = Network(CLASSES, order=PERMUTED).write(world.path("m.onnx"))
    right(world.predict(f"folder:{world.path('D')}?split=test", model, model), "base_accuracy", 1.0)
