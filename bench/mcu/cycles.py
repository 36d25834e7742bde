"""A cycle model over the instructions that a program really executed (docs/microcontroller_kernels.md, "The cycle model").

QEMU's log names each block of code as it is translated (`-d in_asm`) and as it is executed (`-d exec`); from both follow, exactly, how often
each instruction ran. A model gives each kind a cost. It is a model: no cache, no flash wait states, no dual issue; never a time on a board.
"""

import collections
import re

_TRACE = re.compile(r"Trace \d+: (0x[0-9a-f]+) \[[0-9a-f]+/([0-9a-f]+)/")
_CODE = re.compile(r"0x([0-9a-f]+):\s+([0-9a-f]{4})(?: ([0-9a-f]{4}))?\s+(\S+)\s*(.*)")


class Instruction:
    """One instruction of a block: address, bytes, its first halfword, mnemonic and operands."""

    def __init__(self, match):
        self.address = int(match[1], 16)
        self.size = 4 if match[3] else 2
        self.head = int(match[2], 16)
        self.name = match[4].split(".")[0]
        self.operands = match[5]
        self.registers = self._registers()

    def is_half(self):
        """The first half of an instruction that QEMU's disassembler does not know (MVE): it shows the halves one by one."""
        return self.size == 2 and self.head >= 0xE800

    def complete(self):
        self.size, self.name, self.operands = 4, "vector", ""

    def is_vector(self):
        """MVE lies in the coprocessors' encodings (a disassembler may not know it)."""
        return self.size == 4 and (self.head & 0xEC00) == 0xEC00 and not self.is_loop_end()

    def is_loop_end(self):
        return self.head in (0xF00F, 0xF01F, 0xF02F) and self.size == 4

    def _registers(self):
        """How many registers a multiple load or store moves."""
        listed = re.search(r"\{(.*)\}", self.operands)
        if not listed:
            return 0
        count = 0
        for part in listed[1].split(","):
            ends = re.findall(r"r(\d+)", part) if "-" in part else None
            count += int(ends[1]) - int(ends[0]) + 1 if ends and len(ends) == 2 else 1
        return count


def _kind(i):
    if i.is_loop_end():
        return "loop"
    if i.is_vector():
        return "vector"
    if i.name in ("ldrd", "strd"):
        return "double"
    if re.match(r"(ldm|stm|push|pop)", i.name):
        return "multiple"
    if re.match(r"(ldr|str)", i.name):
        return "single"
    if re.match(r"(sdiv|udiv)", i.name):
        return "divide"
    if re.match(r"(b|bl|bx|blx|cbz|cbnz|beq|bne|bl[etos]|bg[et]|b[hmpv][ils]|b[cv][cs]|bhs|blo)$", i.name):
        return "branch"
    return "other"


def _cost_m4(kind, i, previous, taken):
    """Arm's Cortex-M4 Technical Reference Manual, instruction timings; zero-wait memory; a pipeline refill of 2."""
    jump = 2 if taken else 0
    if kind == "single":  # neighbours pipeline: only the first of a run takes 2
        return (1 if previous == "single" else 2) + jump
    if kind == "double":
        return 3
    if kind == "multiple":
        return 1 + i.registers + jump
    if kind == "divide":
        return 12
    return 1 + jump


def _cost_m7(kind, i, _previous, _taken):
    """In order and one at a time (no dual issue: an upper bound); 64-bit loads; branches predicted."""
    if kind == "multiple":
        return 1 + (i.registers + 1) // 2
    return 12 if kind == "divide" else 1


def _cost_m55(kind, i, _previous, taken):
    """A 128-bit vector instruction takes two cycles (two beats each), overlap not counted; the loop end is free after the first turn."""
    if kind == "vector":
        return 2
    if kind == "loop":
        return 0 if taken else 1
    if kind == "multiple":
        return 1 + (i.registers + 1) // 2
    return (12 if kind == "divide" else 1) + (1 if taken and kind == "branch" else 0)


_COSTS = {"m4": _cost_m4, "m7": _cost_m7, "m55": _cost_m55}


class Mix:
    """What a stretch of execution consisted of."""

    def __init__(self):
        self.instructions = 0
        self.cycles = 0
        self.kinds = collections.Counter()


def stretches(lines, target, ticks_address):
    """The stretches between an InstructionCounter's start (its third reading of the timer) and its end (the fourth), in order. `lines` is a log
    of `-d exec,in_asm,nochain -dfilter` of the kernels' code and of platform::ticks()."""
    blocks, translated, readings = {}, [], 0
    mix, done, pending = Mix(), [], None
    cost = _COSTS[target]
    summaries = {}

    def settle(block, next_address):
        """Counts `block`, whose end is known to have been taken or not now that the next block is known."""
        taken = next_address != block[-1].address + block[-1].size
        key = (id(block), taken)
        if key not in summaries:
            cycles, kinds, previous = 0, collections.Counter(), None
            for i in block:
                kind = _kind(i)
                cycles += cost(kind, i, previous, taken and i is block[-1])
                kinds[kind] += 1
                previous = kind
            summaries[key] = (cycles, kinds)
        cycles, kinds = summaries[key]
        mix.cycles += cycles
        mix.instructions += len(block)
        mix.kinds.update(kinds)

    for line in lines:
        match = _TRACE.match(line)
        if match:
            if translated:
                blocks[match[1]] = translated
                translated = []
            address = int(match[2], 16)
            if pending is not None:
                settle(pending, address)
                pending = None
            if address == ticks_address:
                readings += 1
                if readings % 4 == 3:
                    mix = Mix()
                elif readings % 4 == 0:
                    done.append(mix)
            elif readings % 4 == 3:
                pending = blocks[match[1]]
        elif line.startswith("0x"):
            code = _CODE.match(line)
            if code and translated and translated[-1].is_half():
                translated[-1].complete()
            elif code:
                translated.append(Instruction(code))
        elif line.startswith("Stopped execution"):
            pending = None
    return done
