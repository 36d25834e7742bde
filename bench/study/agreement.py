#!/usr/bin/env python3
"""agreement.py: cascades by the agreement of two or three small networks, beside the margin of the best of them alone.

    bench/study/agreement.py --predictions FILE.safetensors --out out/agreement.json --section docs/results.md

FILE has `labels` i32 [N] and for each network `NAME.classes` i32 [N, 5] and `NAME.probabilities` f32 [N, 5], sorted. The bases vote; an image is
queried the sooner the smaller the winner's share of the votes is, and among equals the less sure the bases are of their answers (their mean
1 - p1). The answer is the winner; of several, the strongest network's. Source: agreement-based cascading (Kolawole et al. 2024). Nothing is
fitted, so all images judge. All bases must run for every image: the rows show what that brings, not what it costs. Needs numpy.
"""
import argparse
import json
import pathlib
import re
import struct

import numpy as np

BASES = [["resnet18_pytorch", "squeezenet1_1_pytorch"], ["mobilenetV2_keras", "resnet18_pytorch"], ["vgg16_pytorch", "mobilenetV2_keras"],
         ["mobilenetV2_keras", "resnet18_pytorch", "squeezenet1_1_pytorch"]]
GLOBALS = ["resnet152_pytorch", "inceptionresnetv2_keras"]
COVERAGES, RESAMPLES = (0.95, 0.9, 0.8, 0.7, 0.5), 300


def read_arrays(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    arrays = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            arrays[name] = np.frombuffer(data[begin:end], {"I32": "<i4", "F32": "<f4"}[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def vote(arrays, bases):
    """The winner's class and the score of each image; the first of `bases` is the strongest."""
    answers = np.stack([arrays[f"{b}.classes"][:, 0] for b in bases])
    votes = (answers[:, None] == answers[None]).sum(axis=1)  # of each base's answer
    winner = votes.argmax(axis=0)  # the first of equals
    unsure = 1 - np.mean([arrays[f"{b}.probabilities"][:, 0] for b in bases], axis=0)
    images = np.arange(answers.shape[1])
    return answers[winner, images], (1 - votes[winner, images] / len(bases)) + unsure / (2 * len(bases))


def curve(order, base, top, drawn):
    """Hybrid accuracy at COVERAGES, and its mean over coverages 0.3 to 1; `drawn`: how often each image counts."""
    drawn = drawn[order]
    queried = np.append(0, np.cumsum(drawn)) / drawn.sum()
    right = ((drawn * base[order]).sum() + np.append(0, np.cumsum(drawn * (top[order].astype(int) - base[order])))) / drawn.sum()
    return np.append(np.interp([1 - c for c in COVERAGES], queried, right), np.interp(np.linspace(0, 0.7, 141), queried, right).mean())


def judge(arrays, bases, name):
    labels = arrays["labels"]
    top = arrays[f"{name}.classes"][:, 0] == labels
    answers, score = vote(arrays, bases)
    p = arrays[f"{bases[0]}.probabilities"]
    methods = {"margin": (arrays[f"{bases[0]}.classes"][:, 0] == labels, 1 - (p[:, 0] - p[:, 1])), "agreement": (answers == labels, score)}
    orders = {m: np.argsort(-s, kind="stable") for m, (_, s) in methods.items()}
    rng = np.random.default_rng(1)
    draws = [np.ones(len(labels), int)] + [np.bincount(rng.integers(0, len(labels), len(labels)), minlength=len(labels)) for _ in range(RESAMPLES)]
    curves = {m: np.array([curve(orders[m], right, top, d) for d in draws]) for m, (right, _) in methods.items()}
    differences = curves["agreement"] - curves["margin"]
    return {"bases": bases, "global": name, "global_accuracy": float(top.mean()), "margin": curves["margin"][0].tolist(),
            "margin_base": float(methods["margin"][0].mean()), "agreement": curves["agreement"][0].tolist(),
            "agreement_base": float(methods["agreement"][0].mean()), "difference": differences[0].tolist(),
            "low": np.quantile(differences[1:], 0.025, axis=0).tolist(), "high": np.quantile(differences[1:], 0.975, axis=0).tolist()}


def section(rows):
    text = ("## Agreement of small networks\n\nWritten by `bench/study/agreement.py` from the same predictions: two or three small networks "
            "vote, and an image is queried where they differ, beside the margin of the strongest of them alone. All of them run for every "
            "image, so agreement costs the device two or three times as much.\n\n| bases | global | method | base, % | at 95 % | at 90 % | at "
            "80 % | at 70 % | at 50 % | area | minus margin, area |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
    for row in rows:
        for method in ("margin", "agreement"):
            names = " + ".join(row["bases"] if method == "agreement" else row["bases"][:1])
            cells = [f"{100 * value:.2f}" for value in row[method]]
            last = f"{100 * row['difference'][-1]:+.2f} [{100 * row['low'][-1]:+.2f}, {100 * row['high'][-1]:+.2f}]" if method == "agreement" else ""
            text += f"| {names} | {row['global']} | {method} | {100 * row[method + '_base']:.1f} | " + " | ".join(cells) + f" | {last} |\n"
    return text + "\n"


def put(target, text):
    begin, end = "<!-- study agreement -->\n", "<!-- study agreement end -->\n"
    old = target.read_text() if target.exists() else "# Results\n\n"
    kept = re.sub(re.escape(begin) + ".*?" + re.escape(end) + "\n?", "", old, flags=re.DOTALL)
    target.write_text(kept + begin + text + end + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--predictions", type=pathlib.Path, required=True, help="the networks' predictions (safetensors)")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="file for the figures (JSON)")
    parser.add_argument("--section", type=pathlib.Path, help="the results file that gets a section with them")
    arguments = parser.parse_args()
    arrays = read_arrays(arguments.predictions)
    rows = [judge(arrays, bases, name) for bases in BASES for name in GLOBALS]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(rows, indent=2) + "\n")
    if arguments.section:
        put(arguments.section, section(rows))


if __name__ == "__main__":
    main()
