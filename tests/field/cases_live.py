"""What runs is what was judged: the cloud's model and the bundle's."""

import json

from networks import RECIPE, Network, levels, png
from world import check, refused, right

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


def test_another_file(world):
    """The cloud serves another file of the same shape than the one that was judged.
    https://github.com/triton-inference-server/server/issues/2853"""
    data, _, _ = hybrid(world)
    for name, form in (("sharper", {"sharpness": 61}), ("permuted", {"order": PERMUTED}), ("nameless", {"order": PERMUTED, "names": False})):
        address = world.serve(Network(CLASSES, **form).write(world.path(f"{name}.onnx")))
        refused(world.edge(f"{data}?split=test", address), "another model.*--accept-other-global")
        check(not world.path("answers.jsonl").exists(), "an error at the start leaves no answers")


def test_another_file_accepted(world):
    """The user accepts another file: its classes are found by their names, and the run says that the figures do not hold.
    https://github.com/triton-inference-server/server/issues/2853"""
    data, _, judged = hybrid(world)
    other = Network(CLASSES, order=PERMUTED, sharpness=61).write(world.path("other.onnx"))
    live = world.edge(f"{data}?split=test", world.serve(other), "--accept-other-global")
    right(live, "accuracy", judged, within=0.01)
    check(live.json["global"]["judged"] is False and live.says("figures do not hold"), f"not said: {live.said}")
    names = [f"class {name}" for name in CLASSES]
    strange = Network(names, sharpness=61).write(world.path("strange.onnx"))
    refused(world.edge(f"{data}?split=test", world.serve(strange), "--accept-other-global"), "does not have a class")


def test_another_recipe(world):
    """The cloud prepares the images otherwise than the judged global: the same weights, other answers.
    https://github.com/triton-inference-server/dali_backend/issues/114"""
    data, other, judged = hybrid(world)
    for recipe in ("channels=1,crop=8,mean=0.5,std=0.5", "channels=1,crop=8,mean=0,std=0.5"):
        refused(world.edge(f"{data}?split=test", world.serve(other, "--recipe", recipe)), "prepares images otherwise.*--recipe")
    answers_alike(world, data, world.serve(other, "--recipe", "channels=1,crop=8,mean=0,std=1"), judged)


def test_names_given_to_predict_alone(world):
    """Class names are given by flag when the models are judged, and not again when they are bundled.
    https://github.com/fastai/fastai/issues/3945"""
    levels(world.path("D/train"), CLASSES, seed=5)
    levels(world.path("D/test"), CLASSES, seed=6)
    data = f"folder:{world.path('D')}"
    world.path("names.txt").write_text("\n".join(PERMUTED) + "\n")
    world.path("wrong.txt").write_text("\n".join(CLASSES) + "\n")
    base = Network(CLASSES, tilt=0.05).write(world.path("base.onnx"))
    other = Network(CLASSES, order=PERMUTED, names=False).write(world.path("global.onnx"))
    for outcome in (world.tables(data, base, other, "--global-labels", world.path("names.txt")), world.fit(), world.bundle(base, other)):
        check(not outcome.refused, f"the bundle cannot be made: {outcome.said}")
    judged = world.judged()["operating_point"]["accuracy"]["value"]
    answers_alike(world, data, world.serve(other), judged)
    refused(world.bundle(base, other, "--global-labels", world.path("wrong.txt")), "otherwise than they were judged")
    check(not world.bundle(base, other, "--global-labels", world.path("names.txt")).refused, "the same names are no contradiction")


def test_dead_cloud(world):
    """The cloud is not there: every image is answered by the base, and the run does not end as if all were well.
    https://github.com/expectedparrot/edsl/issues/2200"""
    data, other, _ = hybrid(world)
    dead = world.edge(f"{data}?split=test", "127.0.0.1:1")
    check(dead.code == 9 and dead.json["alarm"] and dead.json["answered"] == dead.json["total"], f"exit status {dead.code}: {dead.json}")
    check(all(line["source"] != "cloud" for line in world.answers()), "an answer of a cloud that is not there")
    alone = world.edge(f"{data}?split=test", None, "--no-cloud")
    check(alone.code == 0 and alone.json["alarm"] is None, f"exit status {alone.code}: {alone.json}")
    refused(world.edge(f"{data}?split=test", world.serve(other, "--name", "another")), "no model of that name")


def test_new_version(world):
    """A new version of the global, judged on its own table with the same router, may be served in the old one's place.
    https://github.com/triton-inference-server/server/issues/5757"""
    data, other, _ = hybrid(world)
    newer = Network(CLASSES, order=PERMUTED, sharpness=90).write(world.path("newer.onnx"))
    outcome = world.predict(f"{data}?split=test", world.path("base.onnx"), newer, out="newer.table")
    check(not outcome.refused, outcome.said)
    refused(world.edge(f"{data}?split=test", world.serve(newer)), "another model")
    refused(world.bundle(world.path("base.onnx"), other, "--also-global", newer), "--also-table")
    refused(world.bundle(world.path("base.onnx"), other, "--also-global", newer, "--also-table", world.path("test.table")), "another global")
    bundled = world.bundle(world.path("base.onnx"), other, "--also-global", newer, "--also-table", world.path("newer.table"))
    check(not bundled.refused and len(bundled.json["accepted_globals"]) == 1, bundled.said)
    figures = bundled.json["accepted_globals"][0]
    for served in (newer, other):
        answers_alike(world, data, world.serve(served), figures["accuracy"])


def test_tied_scores(world):
    """Few distinct scores: the coverage that comes out is said, with the step that was taken.
    https://github.com/dssg/triage/issues/133"""
    images = [(f"{name}/{i:03}.png", round((k + 0.5) * 255 / 4) + (12 if i % 4 == 0 else 0)) for k, name in enumerate(CLASSES)
              for i in range(120)]
    for split in ("train", "test"):
        for name, level in images:
            png(world.path(f"D/{split}") / name, [[level] * 8 for _ in range(8)])
    data = f"folder:{world.path('D')}"
    base = Network(CLASSES).write(world.path("base.onnx"))
    other = Network(CLASSES, sharpness=90).write(world.path("global.onnx"))
    check(not world.tables(data, base, other).refused, "no tables")
    tied = world.fit(coverage=0.4)
    check(not tied.refused, tied.said)
    check(tied.json["coverage"] >= 0.4 and "ties give" in tied.json["remark"] and tied.says("ties give"), f"not said: {tied.json}")
    never = world.fit(coverage=1)
    check("never asked" in never.json["remark"] and never.json["coverage"] == 1, f"not said: {never.json}")
    always = world.fit(coverage=0)
    check("every image is queried" in always.json["remark"] and always.json["coverage"] == 0, f"not said: {always.json}")
