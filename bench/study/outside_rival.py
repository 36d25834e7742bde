#!/usr/bin/env python3
"""outside_rival.py: holds Hedge's gain router against a router made without Hedge, on the same prediction tables.

    bench/study/outside_rival.py --tables out/demo --out out/rival/fashion --name fashion [--hedge build/release/bin/hedge]
    bench/study/outside_rival.py --tables out/demo --without 7-9 --out out/rival/specialist --name "fashion, global without classes 7 to 9"
    bench/study/outside_rival.py --section docs/results.md out/rival/*/rival.json

The rival: 39 statistics of the base's logits and its features, standardised; one hidden layer of 64 ReLU units; three classes (the cloud helps,
no difference, hurts), score p_helps - p_hurts; AdamW at 2e-3 with weight decay 1e-3, six epochs, batches of 256. Both learn from the train
table. Beside them margin, the mean of the gain router's seeds, and three rivals that learn from the calibration table alone: a temperature for
each class of the answer (Guo et al. 2017, by class), the size of the conformal set at 95 % (adaptive prediction sets, Romano et al. 2020), and
the mean gain of the 50 nearest calibration images by features (Cover and Hart 1967). TABLES holds train.table, calibration.table and test.table, as `hedge demo` leaves them. `--without A-B` makes a specialist of the global:
its logits of these classes are lowered below all others, so it answers images of these classes wrongly. Needs numpy (.venv has it).
Writes OUT/rival.json; `--section` puts the figures of such files into the results.
"""
import argparse
import json
import pathlib
import re
import struct
import subprocess

import numpy as np

COVERAGES = (0.9, 0.8, 0.7)
TYPES = {"F32": "<f4", "I64": "<i8"}
HIDDEN, EPOCHS, BATCH, RATE, DECAY = 64, 6, 256, 2e-3, 1e-3
RESAMPLES = 1000


def read_table(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    table = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            table[name] = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return table


def write_specialist(source, target, first, last):
    """The table with a global that never answers with the classes first..last, and that is known as another model."""
    data = source.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    begin, end = (8 + length + at for at in header["global_logits"]["data_offsets"])
    logits = np.frombuffer(data[begin:end], "<f4").reshape(header["global_logits"]["shape"]).copy()
    logits[:, first : last + 1] = logits.min(axis=1, keepdims=True) - 4
    header["__metadata__"]["global_hash"] = "0" * 16 + header["__metadata__"]["global_hash"][16:]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length : begin] + logits.tobytes() + data[end:])


def log_sum_exp(z):
    top = z.max(axis=1, keepdims=True)
    return top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))


def statistics(table):
    """For ten classes 39: logits, sorted logits, sorted probabilities, five margins, entropy, ln sum exp, deviation, p1 - p2."""
    z = table["base_logits"].astype(np.float64)
    log_p = np.maximum(z - log_sum_exp(z), -20)
    ordered, p = -np.sort(-z, axis=1), -np.sort(-np.exp(log_p), axis=1)
    entropy = -(np.exp(log_p) * log_p).sum(axis=1, keepdims=True)
    margins = ordered[:, :1] - ordered[:, 1:6]
    return np.concatenate([z, ordered, p, margins, entropy, log_sum_exp(z), z.std(axis=1, keepdims=True), p[:, :1] - p[:, 1:2]], axis=1)


def outcomes(table):
    labels = table["labels"]
    return table["base_logits"].argmax(axis=1) == labels, table["global_logits"].argmax(axis=1) == labels


def fit_rival(inputs, labels, seed):
    """Trains the rival; returns what scores inputs."""
    rng = np.random.default_rng(seed)
    sizes = [(inputs.shape[1], HIDDEN), (HIDDEN, 3)]
    weights = [(rng.uniform(-1, 1, size) / size[0] ** 0.5).astype(np.float32) for size in sizes]
    biases = [np.zeros(size[1], np.float32) for size in sizes]
    parameters, targets = weights + biases, np.eye(3, dtype=np.float32)[labels]
    moments = [[np.zeros_like(p), np.zeros_like(p)] for p in parameters]
    steps, step = EPOCHS * -(-len(inputs) // BATCH), 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(inputs))
        for start in range(0, len(order), BATCH):
            rows, step = order[start : start + BATCH], step + 1
            x = inputs[rows]
            hidden = np.maximum(x @ weights[0] + biases[0], 0)
            error = (softmax(hidden @ weights[1] + biases[1]) - targets[rows]) / len(rows)
            back = (error @ weights[1].T) * (hidden > 0)
            rate = RATE * 0.5 * (1 + np.cos(np.pi * (step - 1) / steps))
            for i, gradient in enumerate((x.T @ back, hidden.T @ error, back.sum(axis=0), error.sum(axis=0))):
                first, second = moments[i]
                first += 0.1 * (gradient - first)
                second += 0.001 * (gradient**2 - second)
                if i < 2:
                    parameters[i] *= 1 - rate * DECAY
                parameters[i] -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return lambda x: np.subtract(*softmax(np.maximum(x @ weights[0] + biases[0], 0) @ weights[1] + biases[1])[:, [0, 2]].T)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def rival_scores(train, test, seeds):
    raw = [np.concatenate([statistics(t), t["base_features"].astype(np.float64)], axis=1) for t in (train, test)]
    mean, deviation = raw[0].mean(axis=0), raw[0].std(axis=0)
    deviation[deviation < 1e-5] = 1
    inputs = [np.clip((x - mean) / deviation, -5, 5).astype(np.float32) for x in raw]
    base, top = outcomes(train)
    labels = np.where(top & ~base, 0, np.where(base & ~top, 2, 1))
    return [fit_rival(inputs[0], labels, seed)(inputs[1]) for seed in range(1, seeds + 1)]


def class_temperature_scores(calibration, test):
    """1 - p1 of logits divided by the temperature of the answer's class: the likeliest of 61 between e^-1.5 and e^1.5."""
    grid, z = np.exp(np.linspace(-1.5, 1.5, 61)), calibration["base_logits"].astype(np.float64)
    rows = np.arange(len(z))
    loss = np.stack([log_sum_exp(z / t)[:, 0] - z[rows, calibration["labels"]] / t for t in grid])
    answers, best = z.argmax(axis=1), np.full(z.shape[1], grid[loss.mean(axis=1).argmin()])
    for answer in range(z.shape[1]):
        if (answers == answer).sum() >= 20:
            best[answer] = grid[loss[:, answers == answer].mean(axis=1).argmin()]
    z = test["base_logits"].astype(np.float64)
    return 1 - softmax(z / best[z.argmax(axis=1)][:, None]).max(axis=1)


def set_size_scores(calibration, test, level=0.95):
    """How many classes, the likeliest first, reach the mass that holds the label of `level` of the calibration images; then 1 - p1."""
    p = softmax(calibration["base_logits"].astype(np.float64))
    order = np.argsort(-p, axis=1)
    place = (order == calibration["labels"][:, None]).argmax(axis=1)
    mass = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1)[np.arange(len(p)), place]
    bound = np.quantile(mass, min(1, level * (1 + 1 / len(mass))))
    p = -np.sort(-softmax(test["base_logits"].astype(np.float64)), axis=1)
    return 1 + (np.cumsum(p, axis=1) < bound).sum(axis=1) - p[:, 0]


def neighbour_scores(calibration, test, count=50):
    """Mean gain of the nearest calibration images by standardised features; 1 - p1 among equals."""
    features = [t["base_features"].astype(np.float32) for t in (calibration, test)]
    mean, deviation = features[0].mean(axis=0), np.maximum(features[0].std(axis=0), 1e-5)
    known, asked = ((f - mean) / deviation for f in features)
    base, top = outcomes(calibration)
    gain, scores = top.astype(float) - base, []
    for start in range(0, len(asked), 500):
        part = asked[start : start + 500]
        distance = (known**2).sum(axis=1) - 2 * part @ known.T
        scores.append(gain[np.argpartition(distance, count, axis=1)[:, :count]].mean(axis=1))
    return np.concatenate(scores) + 1e-3 * (1 - softmax(test["base_logits"].astype(np.float64)).max(axis=1))


def fields(message):
    """Number and value of each field of a protobuf message; varints as numbers, else bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if message[at - 1] < 128:
                return value

    while at < len(message):
        number, kind = divmod(varint(), 8)
        size = varint() if kind == 2 else {1: 8, 5: 4}.get(kind)
        yield number, varint() if size is None else message[at : at + size]
        at += size or 0


def constants(onnx):
    """The f32 initializers of a model that Hedge wrote, by name."""
    graph = next(value for number, value in fields(onnx) if number == 7)
    found = {}
    for number, tensor in fields(graph):
        if number == 5:
            parts = [(n, v) for n, v in fields(tensor)]
            last = dict(parts)
            shape = [v for n, v in parts if n == 1 and isinstance(v, int)]
            if last[2] == 1 and 9 in last:
                found[last[8].decode()] = np.frombuffer(last[9], "<f4").reshape(shape)
    return found


def gain_scores(onnx, table):
    """What the gain router's graph computes (src/train/router_graph.h)."""
    c = constants(onnx)
    z = table["base_logits"].astype(np.float64)
    log_p = np.maximum(z - log_sum_exp(z), -20)
    top = -np.sort(-log_p, axis=1)[:, :10]
    entropy = -(np.exp(log_p) * log_p).sum(axis=1, keepdims=True)
    margins = np.exp(top[:, :1]) - np.exp(top[:, 1:])
    x = np.concatenate([top, margins, entropy, log_sum_exp(z), table["base_features"]], axis=1)
    x = np.clip((x - c["router_mean"]) / c["router_std"], -5, 5)
    hidden = np.maximum(x @ c["hidden.weight"].T + c["hidden.bias"], 0)
    straight = x[:, : c["straight.weight"].shape[1]] @ c["straight.weight"].T + c["straight.bias"]
    p = softmax(straight + hidden @ c["correction.weight"].T + c["correction.bias"])
    return p[:, 0] - p[:, 2]


def hedge_scores(arguments, tables, test):
    scores = []
    for seed in range(1, arguments.seeds + 1):
        folder = arguments.out / f"gain-{seed}"
        if not (folder / "policy.json").exists():
            command = [arguments.hedge, "fit", "--table", tables / "train.table", "--calibration", tables / "calibration.table"]
            subprocess.run([*command, "--router", "gain", "--seed", str(seed), "--threads", "1", "--accept-risk", "--out", folder], check=True)
        scores.append(gain_scores((folder / "router.onnx").read_bytes(), test))
    return scores


def accuracies(score, base, top, weights):
    """Hybrid accuracy at COVERAGES, and the area's mean over coverages 0.3 to 1; `weights`: how often each image is drawn."""
    order = np.argsort(-score, kind="stable")
    drawn = weights[order]
    queried = np.concatenate([[0], np.cumsum(drawn)]) / drawn.sum()
    right = (drawn * base[order]).sum() + np.concatenate([[0], np.cumsum(drawn * (top[order].astype(int) - base[order]))])
    grid = np.linspace(0, 0.7, 141)
    area = np.interp(grid, queried, right / drawn.sum()).mean()
    return np.append(np.interp([1 - c for c in COVERAGES], queried, right / drawn.sum()), area)


def judge(scores, base, top):
    """Mean accuracies over the seeds, on the images and on RESAMPLES draws of them."""
    rng = np.random.default_rng(1)
    draws = [np.ones(len(base), int)] + [np.bincount(rng.integers(0, len(base), len(base)), minlength=len(base)) for _ in range(RESAMPLES)]
    return {name: np.array([np.mean([accuracies(s, base, top, d) for s in seeds], axis=0) for d in draws]) for name, seeds in scores.items()}


def run(arguments):
    tables = arguments.tables
    if arguments.without:
        first, last = map(int, arguments.without.split("-"))
        tables = arguments.out / "tables"
        for split in ("train", "calibration", "test"):
            write_specialist(arguments.tables / f"{split}.table", tables / f"{split}.table", first, last)
    train, calibration, test = (read_table(tables / f"{split}.table") for split in ("train", "calibration", "test"))
    base, top = outcomes(test)
    p = softmax(test["base_logits"].astype(np.float64))
    ordered = -np.sort(-p, axis=1)
    scores = {"margin": [1 - (ordered[:, 0] - ordered[:, 1])], "rival": rival_scores(train, test, arguments.seeds)}
    scores["class_temperature"] = [class_temperature_scores(calibration, test)]
    scores["conformal_set_size"] = [set_size_scores(calibration, test)]
    scores["neighbours"] = [neighbour_scores(calibration, test)]
    scores["gain"] = hedge_scores(arguments, tables, test)
    scores["gain_ensemble"] = [np.mean(scores["gain"], axis=0)]
    judged = judge(scores, base, top)
    rows = []
    for name in scores:
        differences = judged["gain"] - judged[name]
        rows.append({"method": name, "accuracy": judged[name][0].tolist(), "gain_minus": differences[0].tolist(),
                     "low": np.quantile(differences[1:], 0.025, axis=0).tolist(), "high": np.quantile(differences[1:], 0.975, axis=0).tolist()})
    result = {"name": arguments.name, "seeds": arguments.seeds, "images": len(base), "base": float(base.mean()), "global": float(top.mean()), "rows": rows}
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "rival.json").write_text(json.dumps(result, indent=2) + "\n")


def section(target, files):
    text = ("## Routers made without Hedge\n\nWritten by `bench/study/outside_rival.py`, which describes the rivals: Hedge's gain router on the "
            "same tables beside a network on 39 statistics of the logits and the features, and simpler scores. Means over the router seeds, differences with the "
            "95 % interval of the paired bootstrap over the test images.\n\n| tables | method | at 90 % | at 80 % | at 70 % | area | gain "
            "minus it: at 90 % | at 80 % | at 70 % | area |\n|---|---|---|---|---|---|---|---|---|---|\n")
    for file in files:
        result = json.loads(pathlib.Path(file).read_text())
        for row in result["rows"]:
            cells = [f"{100 * value:.2f}" for value in row["accuracy"]]
            cells += [f"{100 * d:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]" if row["method"] != "gain" else ""
                      for d, low, high in zip(row["gain_minus"], row["low"], row["high"])]
            text += f"| {result['name']}, {result['seeds']} seeds | {row['method']} | " + " | ".join(cells) + " |\n"
    begin, end = "<!-- study outside-rival -->\n", "<!-- study outside-rival end -->\n"
    old = target.read_text() if target.exists() else "# Results\n\n"
    kept = re.sub(re.escape(begin) + ".*?" + re.escape(end) + "\n?", "", old, flags=re.DOTALL)
    target.write_text(kept + begin + text + "\n" + end + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", help="with --section: files rival.json")
    parser.add_argument("--section", type=pathlib.Path, help="the results file that the figures are put into")
    parser.add_argument("--tables", type=pathlib.Path, help="a folder with train.table, calibration.table and test.table")
    parser.add_argument("--without", help="A-B: classes that the global is made not to know")
    parser.add_argument("--out", type=pathlib.Path, help="folder for what is made")
    parser.add_argument("--name", default="tables", help="what the tables are called in the results")
    parser.add_argument("--hedge", default="build/release/bin/hedge", help="the program")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each router; more give steadier means and take longer")
    arguments = parser.parse_args()
    if arguments.section:
        section(arguments.section, arguments.files)
    elif arguments.tables and arguments.out:
        run(arguments)
    else:
        parser.error("give --tables and --out, or --section and files")


if __name__ == "__main__":
    main()
