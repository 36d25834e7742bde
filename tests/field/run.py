"""What people bring, end to end: `run.py PROGRAMS MODULE [CASE]` runs the cases of a module (cases_*.py), each in a folder of its own.

A case is a function test_*(world) whose docstring says what is brought and, in its last line, where the public reported it. It asserts the right
value, or that the input is refused with the way out.
"""

import importlib
import pathlib
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
from world import Failed, World  # noqa: E402


def main():
    programs, module, *wanted = sys.argv[1:]
    cases = {name: case for name, case in vars(importlib.import_module(module)).items() if name.startswith("test_")}
    for name in wanted:
        if name not in cases:
            sys.exit(f"there is no case {name}; there are {', '.join(cases)}")
    failed = []
    for name in wanted or cases:
        world = World(programs)
        start = time.monotonic()
        try:
            cases[name](world)
            verdict = "passed"
        except Failed as failure:
            verdict = f"FAILED: {failure}"
        except Exception:  # pylint: disable=broad-except
            verdict = f"FAILED: {traceback.format_exc()}"
        finally:
            world.close()
        if verdict != "passed":
            failed.append(name)
        print(f"{name}: {verdict} ({time.monotonic() - start:.1f} s)", flush=True)
    if not cases:
        sys.exit("the module has no case")
    sys.exit(f"{len(failed)} of {len(wanted or cases)} failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
