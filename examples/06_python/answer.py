"""Answers images from Python, and chooses a threshold on predictions.

    answer.py BUNDLE IMAGE... [--table TABLE]
"""

import argparse
import collections

import hedge

parser = argparse.ArgumentParser()
parser.add_argument("bundle")
parser.add_argument("images", nargs="*")
parser.add_argument("--cloud", help="HOST:PORT of the server with the global")
parser.add_argument("--table", help="predictions that `hedge predict` wrote, on the calibration split")
arguments = parser.parse_args()

runtime = hedge.Runtime(arguments.bundle, cloud=arguments.cloud, log=lambda level, message: print(message))
sources = collections.Counter()
for path in arguments.images:
    answer = runtime.answer(path)  # the bytes of a file or an array of pixels do as well
    sources[answer.source] += 1
    print(f"{path}: {answer.label} ({answer.source}, {answer.reason}, {answer.times_ms.total:.1f} ms)")
print(dict(sources), f"coverage {runtime.statistics.coverage:.1%}")

if arguments.table:
    table = hedge.Predictions.read(arguments.table)
    scores = table.score("margin")
    point = table.threshold(scores, coverage=0.8)
    print(f"base {table.base_accuracy:.2%}, global {table.global_accuracy:.2%}")
    print(f"threshold {point.threshold:.4f}: coverage {point.coverage:.1%}, accuracy {point.accuracy:.2%}")
    try:
        promised = table.promise(scores, "coverage>=0.8", delta=0.05)
        print(f"{promised.promise} for new images, with 95 % confidence: threshold {promised.point.threshold:.4f}")
    except hedge.Error as error:
        print(error.code, error)
