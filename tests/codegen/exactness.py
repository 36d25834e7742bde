"""The host's exact arithmetic against TFLite's interpreter with its reference kernels, layer by layer, on one .tflite file.

exactness.py DUMP_PROGRAM MODEL.tflite [--images N] [--most-share S]
Random images go through both; every tensor that the host computes must have the interpreter's bytes. From the same inputs, the device
arithmetic must give each layer's outputs within 1, and no more than 0.5 % of them may differ (of layers with enough outputs to tell).
Needs ai-edge-litert (scripts/setup.sh test installs it into .venv). Where there is no such model, the exit status is 77 (skipped).
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
from ai_edge_litert import interpreter as litert

SKIPPED = 77
UNSUPPORTED = 5
MOST_APART = 1
MOST_SHARE = 0.005
LEAST_OUTPUTS = 1000  # a share below 0.5 % says nothing of fewer


def host_activations(arguments, image, arithmetic):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("in", "out")]
        image.tofile(paths[0])
        run = subprocess.run([arguments.dump, arguments.model, *paths, arithmetic], capture_output=True, text=True)
        if run.returncode == UNSUPPORTED and arithmetic == "device":
            print(f"no device arithmetic: {run.stderr.strip()}")
            return None
        if run.returncode:
            sys.exit(run.stderr)
        content = pathlib.Path(paths[1]).read_bytes()
    activations, at = {}, 0
    while at < len(content):
        end = content.index(b"\n", at)
        name, size = content[at:end].decode().split()
        activations[name] = numpy.frombuffer(content, numpy.int8, int(size), end + 1)
        at = end + 1 + int(size)
    return activations


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dump")
    parser.add_argument("model")
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--most-share", type=float, default=MOST_SHARE, help="of a layer's outputs that may differ, for a model with large scales")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.model):
        print(f"skipped: no model at {arguments.model}")
        sys.exit(SKIPPED)
    reference = litert.Interpreter(
        arguments.model, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF, experimental_preserve_all_tensors=True, num_threads=1)
    reference.allocate_tensors()
    spec = reference.get_input_details()[0]
    random = numpy.random.default_rng(7)
    compared = wrong = 0
    off, outputs, farthest = {}, {}, 0
    for n in range(arguments.images):
        # Smooth images as well as noise: neighbouring pixels alike.
        image = random.integers(-128, 128, spec["shape"])
        if n % 2 == 0:
            coarse = random.integers(-128, 128, [1, (spec["shape"][1] + 7) // 8, (spec["shape"][2] + 7) // 8, spec["shape"][3]])
            image = coarse.repeat(8, 1).repeat(8, 2)[:, : spec["shape"][1], : spec["shape"][2]] // 2 + image // 4
        image = image.astype(numpy.int8)
        reference.set_tensor(spec["index"], image)
        reference.invoke()
        exact = host_activations(arguments, image, "exact")
        device = host_activations(arguments, image, "device")
        for name, got in exact.items():
            if not name.startswith("tensor_"):  # made by the importer: two classes of one probability
                continue
            expected = reference.get_tensor(int(name.removeprefix("tensor_"))).reshape(-1)
            different = int((got != expected).sum())
            compared += got.size
            wrong += different
            if different:
                print(f"image {n}, {name}: {different} of {got.size} bytes differ, by up to {abs(got.astype(int) - expected).max()}")
            if device is not None:
                apart = abs(device[name].astype(int) - got)
                off[name] = off.get(name, 0) + int((apart > 0).sum())
                outputs[name] = outputs.get(name, 0) + got.size
                farthest = max(farthest, int(apart.max()))
    name = os.path.basename(arguments.model)
    print(f"{name}: {compared - wrong} of {compared} bytes equal in {len(exact)} tensors, {arguments.images} images")
    shares = [(off[tensor] / outputs[tensor], tensor) for tensor in off if outputs[tensor] >= LEAST_OUTPUTS]
    if shares:
        print(f"{name}, device arithmetic from the same inputs: at most {100 * max(shares)[0]:.3f} % of a layer's outputs differ ({max(shares)[1]}), "
              f"{100 * sum(off.values()) / sum(outputs.values()):.3f} % of all, by at most {farthest}")
    sys.exit(1 if wrong or farthest > MOST_APART or (shares and max(shares)[0] > arguments.most_share) else 0)


if __name__ == "__main__":
    main()
