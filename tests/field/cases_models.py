"""One network as people export it: it is judged alike, or refused with the way out."""

from networks import Network, levels
from world import check, refused, right, right_or_refused

CLASSES = ["a", "b", "c", "d"]
PLAIN = {}  # router -> the plain network's choice, which is the same in each case


def data_of(world):
    levels(world.path("D/train"), CLASSES, seed=5)
    levels(world.path("D/test"), CLASSES, seed=6)
    return f"folder:{world.path('D')}"


def base(world, name, **form):
    return Network(CLASSES, tilt=0.05, **form).write(world.path(name))


def thresholds(world, data, model, other, router):
    """(coverage, threshold) that `hedge fit` chooses for this form of the base."""
    for outcome in (world.tables(data, model, other), world.fit(router, 0.7)):
        check(not outcome.refused, f"{model.name}: {outcome.said.strip()[-300:]}")
    chosen = world.policy()["chosen"]
    return chosen["coverage"], chosen["threshold"]


def same_decisions(world, router, **form):
    """The form decides as the plain network does: the threshold is the same but for rounding."""
    data = data_of(world)
    other = Network(CLASSES).write(world.path("global.onnx"))
    if router not in PLAIN:
        PLAIN[router] = thresholds(world, data, base(world, "plain.onnx"), other, router)
    plain = PLAIN[router]
    exported = thresholds(world, data, base(world, "exported.onnx", **form), other, router)
    check(abs(plain[0] - exported[0]) < 1e-6, f"{router}: coverage {exported[0]}, not {plain[0]}")
    check(abs(plain[1] - exported[1]) <= 1e-4 * max(1, abs(plain[1])), f"{router}: threshold {exported[1]}, not {plain[1]}")


def test_softmax(world):
    """A Softmax at the end; entropy needs logits or knows them for probabilities.
    https://github.com/ultralytics/ultralytics/issues/13851"""
    same_decisions(world, "entropy", head="Softmax", output="probabilities")


def test_softmax_energy(world):
    """Energy is not the same for logits shifted by a constant, so the Softmax must be cut off.
    https://github.com/YonghaoHe/LFFD-A-Light-and-Fast-Face-Detector-for-Edge-Devices/issues/39"""
    same_decisions(world, "energy", head="Softmax")


def test_log_softmax(world):
    """A LogSoftmax at the end, in an output that is called logits.
    https://github.com/pytorch/vision/issues/9325"""
    same_decisions(world, "energy", head="LogSoftmax")


def test_sigmoids(world):
    """A Sigmoid a class at the end.
    https://github.com/pytorch/vision/issues/9325"""
    same_decisions(world, "margin", head="Sigmoid", output="scores")


def test_softmax_in_steps(world):
    """A Softmax of Exp, ReduceSum and Div, as converters write it.
    https://github.com/open-mmlab/mmaction2/pull/781"""
    same_decisions(world, "energy", head="steps", output="probabilities")


def test_label_and_probabilities(world):
    """Two outputs: the answer as an integer, and the probabilities.
    https://github.com/open-mmlab/mmsegmentation/issues/278"""
    same_decisions(world, "margin", head="label", output="probabilities")


def test_two_outputs(world):
    """Logits and probabilities, neither called logits: which one is asked for, and either gives the same decisions.
    https://github.com/Xianhua-He/cvpr2024-face-anti-spoofing-challenge/issues/14"""
    data = data_of(world)
    other = Network(CLASSES).write(world.path("global.onnx"))
    model = Network(CLASSES, head="Softmax", output="probabilities", twice=True).write(world.path("two.onnx"))
    refused(world.predict(f"{data}?split=test", model, other), "--output")
    for output in ("raw", "probabilities"):
        right(world.predict(f"{data}?split=test", model, other, "--base-output", output), "base_accuracy", 1.0)


def test_every_form_at_once(world):
    """Softmax, channels last, weights outside, a new opset and a strange name in one file.
    https://github.com/ultralytics/ultralytics/pull/18085"""
    same_decisions(world, "energy", head="Softmax", layout="NHWC", weights_file="all.bin", opset=23, ir_version=11, output="Identity:0")


def two_classes(world, head, sharpness=60.0):
    """One output: the second class' logit less the first's."""
    levels(world.path("E"), ["dark", "light"], spread=0.3)
    return Network(["light"], order=["light"], names=False, head=head, sharpness=sharpness, output="dense_1")


def test_one_sigmoid(world):
    """Two classes and one Sigmoid output: two classes, or an error that says what to do.
    https://github.com/lmjohns3/theanets/issues/106"""
    model = two_classes(world, "Sigmoid")
    model.names = False
    # The network's centre is 0.5: its logit 2 * 0.5 * x * s - 0.25 * s is positive above x = 0.25; moved to be so above 0.5.
    model.bias = -0.25 * model.sharpness
    path = model.write(world.path("one.onnx"))
    right_or_refused(world.predict(f"folder:{world.path('E')}?split=all", path, path), "base_accuracy", 1.0, "sigmoid|two classes|one output")


def test_one_logit(world):
    """The same without the Sigmoid.
    https://github.com/dnouri/nolearn/issues/178"""
    model = two_classes(world, "")
    model.bias = -0.25 * model.sharpness
    path = model.write(world.path("one.onnx"))
    right_or_refused(world.predict(f"folder:{world.path('E')}?split=all", path, path), "base_accuracy", 1.0, "sigmoid|two classes|one output")


def test_output_name(world):
    """The single output has any name.
    https://github.com/lmjohns3/theanets/issues/106"""
    data = data_of(world)
    model = Network(CLASSES, output="StatefulPartitionedCall:0").write(world.path("named.onnx"))
    right(world.predict(f"{data}?split=test", model, model), "base_accuracy", 1.0)


def test_nhwc(world):
    """Channels last, as TensorFlow exports.
    https://github.com/pytorch/glow/pull/1651"""
    same_decisions(world, "margin", layout="NHWC")


def test_one_sigmoid_global(world):
    """The global has the one Sigmoid output, the base two logits.
    https://github.com/lmjohns3/theanets/issues/106"""
    model = two_classes(world, "Sigmoid")
    model.bias = -0.25 * model.sharpness
    other = model.write(world.path("one.onnx"))
    base_model = Network(["dark", "light"]).write(world.path("two.onnx"))
    outcome = world.predict(f"folder:{world.path('E')}?split=all", base_model, other)
    right_or_refused(outcome, "global_accuracy", 1.0, "sigmoid|two classes|one output")


def test_frozen_batch_of_four(world):
    """The batch is frozen to four: the last images are filled up, and count once.
    https://github.com/triton-inference-server/server/issues/5420"""
    same_decisions(world, "margin", batch=4)


def test_frozen_batch(world):
    """The batch is frozen to one.
    https://github.com/triton-inference-server/server/issues/5420"""
    same_decisions(world, "margin", batch=1)


def test_symbolic_sizes(world):
    """Height and width are symbols, so shape alone does not tell the layout: right, or asked for.
    https://github.com/pytorch/vision/issues/9325"""
    data = data_of(world)
    model = Network(CLASSES, size="side").write(world.path("symbols.onnx"))
    right_or_refused(world.predict(f"{data}?split=test", model, model), "base_accuracy", 1.0, "input-layout")


def test_new_opset(world):
    """Opset 23 and IR version 11, where the operators are as before.
    https://github.com/microsoft/onnxruntime/issues/20559"""
    same_decisions(world, "margin", opset=23, ir_version=11)


def test_old_opset(world):
    """Opset 9 and IR version 4.
    https://github.com/microsoft/onnxruntime/issues/6793"""
    same_decisions(world, "margin", opset=9, ir_version=4)


def test_weights_outside(world):
    """The weights lie in a file beside the model: read, and part of the model's identity, also in the cache of predictions.
    https://github.com/huggingface/sentence-transformers/pull/3913"""
    data = data_of(world)
    model = Network(CLASSES).write(world.path("base.onnx"))
    other = Network(CLASSES, weights_file="global.onnx.data").write(world.path("global.onnx"))

    def predict():
        return world.hedge("predict", "--data", f"{data}?split=test", "--base", model, "--global", other, "--cache", world.path("cache"),
                           "--threads", 1, "--accept-risk", "--out", world.path("t.table"))  # the second global is at chance

    right(predict(), "global_accuracy", 1.0)
    Network(CLASSES, order=CLASSES[::-1], weights_file="global.onnx.data").write(world.path("reversed.onnx"))  # only its weights are kept
    second = predict()
    check(not second.refused and second.json["global_accuracy"] < 0.9, "other weights, and still the old answers from the cache")


def test_weights_outside_folder(world):
    """The weights' path leads out of the model's folder: refused.
    https://github.com/root-project/root/pull/23251"""
    data = data_of(world)
    world.path("models").mkdir()
    model = Network(CLASSES, weights_file="../secret.data").write(world.path("models/base.onnx"))
    refused(world.predict(f"{data}?split=test", model, model), "outside|folder")


def test_weights_missing(world):
    """The weights' file was not copied with the model: refused, with its name.
    https://github.com/huggingface/sentence-transformers/pull/3913"""
    data = data_of(world)
    model = Network(CLASSES, weights_file="base.onnx.data").write(world.path("base.onnx"))
    world.path("base.onnx.data").unlink()
    refused(world.predict(f"{data}?split=test", model, model), r"base\.onnx\.data")
