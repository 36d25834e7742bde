#!/usr/bin/env python3
"""label_noise.py: trains bases on Fashion-MNIST with wrong labels among the training images, and judges their hybrids on right ones.

    bench/study/label_noise.py --demo out/demo --out out/label-noise [--hedge build/release/bin/hedge] [--threads N]

Takes the global and the division of the images from a run of `hedge demo` (its global.onnx and tables); the global was trained on right
labels. For each kind and share of noise: a base trained on the noisy labels, a gain router and a fused one fitted on its predictions of the
noisy training images, thresholds and promises from calibration images with right labels, figures on test images with right labels.
Beside them an accuracy promise from calibration images whose labels are as noisy as those of the training.
Writes OUT/label_noise.json. Run again, it continues after the last step that succeeded.
"""
import argparse
import gzip
import hashlib
import json
import math
import pathlib
import random
import struct
import subprocess
import zlib

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
CONDITIONS = [("none", 0)] + [(kind, share) for share in (20, 40, 10) for kind in ("symmetric", "class")]
TRAINING = ["--net", "mobile:6", "--batch", "64", "--lr", "0.012", "--epochs", "3", "--flip", "--seed", "1"]
TRAINING_IMAGES, ROUTER_IMAGES = 20000, 15000
COVERAGE, ACCURACY = 0.8, 0.88


def read_idx(name, header):
    with gzip.open(FASHION / name) as file:
        return file.read()[header:]


def read_table(path, name):
    """A tensor of a prediction table as a flat list."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    entry = json.loads(data[8 : 8 + length])[name]
    begin, end = entry["data_offsets"]
    return [value for (value,) in struct.iter_unpack({"F32": "<f", "I64": "<q"}[entry["dtype"]], data[8 + length + begin : 8 + length + end])]


def table_hashes(path):
    """The first 8 bytes of the SHA-256 of each image of a prediction table."""
    return {value & (2**64 - 1) for value in read_table(path, "image_hashes")}


def wilson(hits, total):
    """A share with its 95 % interval."""
    z, share = 1.959963984540054, hits / total
    middle, half = share + z * z / (2 * total), z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return {"value": share, "low": (middle - half) / (1 + z * z / total), "high": (middle + half) / (1 + z * z / total)}


def margin_point(table, threshold):
    """Coverage and accuracy of the free score margin, 1 - (p1 - p2), at a threshold: query where it is above."""
    labels = read_table(table, "labels")
    base, top = read_table(table, "base_logits"), read_table(table, "global_logits")
    covered = right = 0
    for i, label in enumerate(labels):
        logits = base[10 * i : 10 * i + 10]
        most = max(logits)
        weights = sorted((math.exp(z - most) for z in logits), reverse=True)
        stays = 1 - (weights[0] - weights[1]) / sum(weights) <= threshold
        answers = logits if stays else top[10 * i : 10 * i + 10]
        covered += stays
        right += answers.index(max(answers)) == label
    return {"coverage": wilson(covered, len(labels)), "accuracy": wilson(right, len(labels))}


def png(pixels):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + pixels[i * 28 : (i + 1) * 28] for i in range(28))
    header = struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_images(demo, folder):
    """The images as files, and (path, label, split) of each, as the demo divided them."""
    calibration = table_hashes(demo / "calibration.table")
    rows = []
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, split in (("train", None), ("t10k", "test")):
        images, labels = read_idx(f"{prefix}-images-idx3-ubyte.gz", 16), read_idx(f"{prefix}-labels-idx1-ubyte.gz", 8)
        for i, label in enumerate(labels):
            pixels = images[i * 784 : (i + 1) * 784]
            own = int.from_bytes(hashlib.sha256(pixels).digest()[:8], "big")
            path = folder / f"{prefix}-{i:05}.png"
            if not path.exists():
                path.write_bytes(png(pixels))
            rows.append((path.name, label, split or ("calibration" if own in calibration else "train")))
    return rows


def noisy(rows, kind, share, splits, seed=1):
    """`share` percent of the labels of `splits` become another class: any (symmetric), or the next one (class)."""
    draw = random.Random(f"{kind} {share} {seed}")
    changed = []
    for path, label, split in rows:
        hit, other = draw.random() < share / 100, draw.randrange(1, 10)
        if hit and split in splits:
            label = (label + (other if kind == "symmetric" else 1)) % 10
        changed.append((path, label, split))
    return changed


def write_table(path, rows):
    text = "path,label,split\n" + "".join(f"{name},{NAMES[label]},{split}\n" for name, label, split in rows)
    path.write_text(text)


class Study:
    def __init__(self, options):
        self.options, self.out = options, options.out
        self.rows = write_images(options.demo, self.out / "images")

    def run(self, *command, may_fail=False):
        done = subprocess.run([str(self.options.hedge), *map(str, command)], capture_output=True, text=True)
        if done.returncode and not may_fail:
            raise SystemExit(f"hedge {' '.join(map(str, command))}\n{done.stderr}")
        return done

    def data(self, name, split):
        return f"csv:{self.out / name}.csv?split={split}&root={self.out / 'images'}"

    def predict(self, folder, data, name):
        if not (folder / name).exists():
            self.run("predict", "--data", data, "--base", folder / "base.onnx", "--global", self.options.demo / "global.onnx", "--cache",
                     self.out / "cache", "--threads", self.options.threads, "--out", folder / name)

    def fit(self, folder, name, calibration, *flags):
        """Whether the target could be reached."""
        if (folder / name / "policy.json").exists():
            return True
        done = self.run("fit", "--table", folder / "train.table", "--calibration", folder / calibration, "--threads",
                        self.options.threads, "--seed", 1, "--out", folder / name, *flags, may_fail=True)
        if done.returncode not in (0, 8):
            raise SystemExit(done.stderr)
        return done.returncode == 0

    def judge(self, folder):
        out = folder / "report"
        if not (out / "report.json").exists():
            self.run("eval", "--table", folder / "test.table", "--hybrid", f"gain={folder / 'gain'}", "--hybrid",
                     f"answers={folder / 'fused'}", "--images", 0, "--resamples", 400, "--out", out)
        return json.loads((out / "report.json").read_text())

    def point(self, folder, name, promise, calibration="calibration.table"):
        """What a promise of the free score margin says, and what the test images show of it."""
        if not self.fit(folder, name, calibration, "--router", "margin", "--promise", promise):
            return {"promise": promise, "reachable": False}
        policy = json.loads((folder / name / "policy.json").read_text())
        return {"promise": promise, "reachable": True, **margin_point(folder / "test.table", policy["chosen"]["threshold"])}

    def condition(self, kind, share):
        name = f"{kind}-{share}"
        folder = self.out / name
        folder.mkdir(exist_ok=True)
        write_table(self.out / f"{name}.csv", noisy(self.rows, kind, share, {"train"}))
        write_table(self.out / f"{name}-all.csv", noisy(self.rows, kind, share, {"train", "calibration"}))
        if not (folder / "base.json").exists():
            self.run("train", "--data", self.data(name, "train") + f"&limit={TRAINING_IMAGES}", *TRAINING, "--threads", self.options.threads, "--out",
                     folder / "base.onnx", "--summary", folder / "base.json")
        self.predict(folder, self.data(name, "train") + f"&limit={ROUTER_IMAGES}", "train.table")
        self.predict(folder, self.data(name, "calibration"), "calibration.table")
        self.predict(folder, self.data(name, "test"), "test.table")
        self.predict(folder, self.data(f"{name}-all", "calibration"), "noisy.table")
        self.fit(folder, "gain", "calibration.table", "--router", "gain", "--coverage", COVERAGE)
        self.fit(folder, "fused", "calibration.table", "--router", "gain", "--fuse", "--coverage", COVERAGE)
        report = self.judge(folder)
        at = next(row for row in report["curve"] if abs(row["coverage"] - COVERAGE) < 1e-9)
        areas = {row["method"]: row for row in report["areas"]}
        return {
            "kind": kind, "share": share, "base": report["base"]["accuracy"], "global": report["global"]["accuracy"],
            "at": {m: at[m] for m in ("gain", "margin", "entropy", "answers_fused", "upper_bound") if m in at},
            "fused_adopted": json.loads((folder / "fused" / "policy.json").read_text())["fusion"]["adopted"],
            "gain_to_margin": areas["gain"]["to_margin"],
            "coverage_promise": self.point(folder, "promise-coverage", f"coverage>={COVERAGE}"),
            "accuracy_promise": self.point(folder, "promise-accuracy", f"accuracy>={ACCURACY}"),
            "accuracy_promise_of_noisy": self.point(folder, "promise-noisy", f"accuracy>={ACCURACY}", "noisy.table"),
        }

    def all(self):
        rows = []
        for kind, share in CONDITIONS:
            rows.append(self.condition(kind, share))
            text = json.dumps({"training": TRAINING, "training_images": TRAINING_IMAGES, "router_images": ROUTER_IMAGES, "coverage": COVERAGE, "accuracy": ACCURACY,
                               "rows": rows}, indent=1)
            (self.out / "label_noise.json").write_text(text + "\n")
            print(kind, share, "done", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=pathlib.Path, required=True, help="folder of a finished hedge demo")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--hedge", type=pathlib.Path, default=pathlib.Path("build/release/bin/hedge"))
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    Study(options).all()


if __name__ == "__main__":
    main()
