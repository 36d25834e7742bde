#!/usr/bin/env python3
"""shift.py: what other images than the calibration's do to the demo's hybrid; writes the tables of docs/shift.md.

    bench/study/shift.py --demo out/demo --out out/shift [--noise out/label-noise/label_noise.json] [--hedge build/release/bin/hedge]
        [--data fashion-mnist] [--threads N] [--page docs/shift.md]

Fits policies on the tables of a finished `hedge demo` (calibrated on images as they are), runs `hedge shift` on its models, and replaces what
stands in PAGE between the marks "<!-- shift: ... -->" and "<!-- end -->" by tables of OUT/shift.json and of the file of label_noise.py.
Run again, it continues after the last step that succeeded.
"""
import argparse
import json
import pathlib
import re
import subprocess

POLICIES = {  # name: flags of hedge fit
    "gain": ["--router", "gain", "--coverage", "0.8"],
    "answers": ["--router", "gain", "--fuse", "--coverage", "0.8"],
    "margin": ["--router", "margin", "--coverage", "0.8"],
    "coverage": ["--router", "margin", "--promise", "coverage>=0.8"],
    "accuracy": ["--router", "margin", "--promise", "accuracy>=0.915"],
    "risk": ["--router", "margin", "--promise", "risk<=0.05"],
}
PROMISES = ("coverage", "accuracy", "risk")
FORCED = "For this study. "


def percent(interval):
    return f"{100 * interval['value']:.1f}"


def with_interval(interval):
    return f"{100 * interval['value']:.1f} ({100 * interval['low']:.1f}–{100 * interval['high']:.1f})"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def methods_of(row):
    return {method["name"].removesuffix("_fused"): method for method in row["methods"]}


def thresholds_table(report):
    """Coverage and accuracy at the threshold of the calibration, and at 80 % of these images."""
    rows = []
    for row in report["rows"]:
        by = methods_of(row)
        gain, margin = by["gain"]["unchanged"], by["margin"]["unchanged"]
        rows.append([row["corruption"] or "none", percent(row["base"]), percent(row["global"]), with_interval(gain["coverage"]),
                     with_interval(gain["accuracy"]), percent(margin["coverage"]), percent(margin["accuracy"]),
                     *(f"{100 * by[name]['accuracy_at_same_coverage']:.1f}" for name in ("gain", "margin", "answers"))])
    return table(["corruption", "base", "global", "gain: coverage", "accuracy", "margin: coverage", "accuracy", "gain at 80 %",
                  "margin at 80 %", "fused at 80 %"], rows)


def promise_cell(point, quantity):
    return f"{percent(point[quantity])} {point['promise']}"


def promises_table(report):
    """The promised quantity at the threshold of the calibration, and at one from corrupted calibration images."""
    quantity = {"coverage": "coverage", "accuracy": "accuracy", "risk": "risk_on_covered"}
    said = {method["name"]: method.get("promise") for method in report["methods"]}
    rows = []
    for row in report["rows"]:
        by, cells = methods_of(row), []
        for name in PROMISES:
            anew = by[name].get("recalibrated")
            cells += [promise_cell(by[name]["unchanged"], quantity[name]),
                      promise_cell(anew, quantity[name]) + (f", {percent(anew['coverage'])} stay" if name != "coverage" else "")
                      if anew else "cannot be promised"]
        rows.append([row["corruption"] or "none", *cells])
    header = ["corruption"]
    for name in PROMISES:
        header += [said[name], f"with {report['recalibration_images']} images of the new kind"]
    return table(header, rows)


def noise_promise(point):
    if not point["reachable"]:
        return "cannot be promised"
    target = float(point["promise"].split(">=")[1])
    value = point["coverage" if point["promise"].startswith("coverage") else "accuracy"]
    state = "kept" if value["value"] >= target else "broken" if value["high"] < target else "missed"
    return f"{percent(value)} {state}" + ("" if point["promise"].startswith("coverage") else f", {percent(point['coverage'])} stay")


def noise_table(study):
    rows = []
    order = {"none": 0, "symmetric": 1, "class": 2}
    for row in sorted(study["rows"], key=lambda row: (order[row["kind"]], row["share"])):
        difference = row["gain_to_margin"]
        fused = row["at"]["answers_fused"] if row["fused_adopted"] else None
        rows.append([f"{row['share']} %, {row['kind']}" if row["share"] else "none", percent(row["base"]), percent(row["global"]),
                     *(with_interval(row["at"][name]) for name in ("gain", "margin")),
                     with_interval(fused) if fused else "not adopted",
                     f"{100 * difference['value']:+.2f} ({100 * difference['low']:+.2f} to {100 * difference['high']:+.2f})",
                     *(noise_promise(row[name]) for name in ("coverage_promise", "accuracy_promise", "accuracy_promise_of_noisy"))])
    first = study["rows"][0]
    return table(["wrong training labels", "base", "global", "gain at 80 %", "margin at 80 %", "fused at 80 %", "area, gain − margin",
                  first["coverage_promise"]["promise"], first["accuracy_promise"]["promise"], "the same, calibration labels as wrong"], rows)


def replace_blocks(page, blocks):
    text = page.read_text()
    for name, block in blocks.items():
        text, count = re.subn(rf"(<!-- shift: {name} .*?-->\n).*?(<!-- end -->)", lambda m: m.group(1) + block + m.group(2), text,
                              flags=re.S)
        if count != 1:
            raise SystemExit(f"{page}: {count} blocks \"{name}\", expected 1")
    page.write_text(text)


def fit_policies(options):
    for name, flags in POLICIES.items():
        if not (options.out / name / "policy.json").exists():
            subprocess.run([options.hedge, "fit", "--table", options.demo / "train.table", "--calibration",
                            options.demo / "calibration.table", *flags, "--threads", str(options.threads), "--out", options.out / name],
                           check=True)


def adopt_fusion(folder):
    """Fused answers are used even where `hedge fit` did not adopt them; returns whether it did."""
    path = folder / "policy.json"
    policy = json.loads(path.read_text())
    adopted = policy["fusion"]["adopted"] and not policy["fusion"]["why"].startswith(FORCED)
    if not policy["fusion"]["adopted"]:
        policy["fusion"].update(adopted=True, why=FORCED + policy["fusion"]["why"])
        path.write_text(json.dumps(policy))
    return adopted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=pathlib.Path, required=True, help="folder of a finished hedge demo")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--noise", type=pathlib.Path, help="label_noise.json of label_noise.py")
    parser.add_argument("--hedge", type=pathlib.Path, default=pathlib.Path("build/release/bin/hedge"))
    parser.add_argument("--data", default="fashion-mnist", help="the demo's data set, without a split")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    parser.add_argument("--page", type=pathlib.Path, help="the page whose tables are written")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    fit_policies(options)
    if not adopt_fusion(options.out / "answers"):
        print("fused answers were not adopted on the calibration images; they are judged all the same")
    figures = options.out / "shift.json"
    if not figures.exists():
        hybrids = [flag for name in POLICIES for flag in ("--hybrid", f"{name}={options.out / name}")]
        subprocess.run([options.hedge, "shift", "--data", options.data, "--base", options.demo / "base.onnx", "--global",
                        options.demo / "global.onnx", *hybrids, "--threads", str(options.threads), "--out", figures], check=True)
    report = json.loads(figures.read_text())
    blocks = {"thresholds": thresholds_table(report), "promises": promises_table(report)}
    if options.noise:
        blocks["label noise"] = noise_table(json.loads(options.noise.read_text()))
    if options.page:
        replace_blocks(options.page, blocks)
    else:
        print("\n".join(blocks.values()))


if __name__ == "__main__":
    main()
