"""A stranger's script: BUNDLE HOST:PORT IMAGE..."""

import sys

import hedge

runtime = hedge.Runtime(sys.argv[1], cloud=sys.argv[2], deadline_ms=20000)
for path in sys.argv[3:]:
    answer = runtime.answer(path)
    print(f"{answer.label_index} {answer.source} {answer.score:.9g}")
