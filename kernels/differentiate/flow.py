"""Which block follows which, what never returns, and what is a loop."""

from __future__ import annotations

from dataclasses import dataclass

from .reading import Block, Function, Instruction, Refused


@dataclass(eq=False)
class Loop:
    """A natural loop. It is counted in a variable of its own."""

    header: Block
    latches: list[Block]  # whose next block is the header
    entries: list[Block]  # from where it is entered
    body: set[Block]
    counter: str

    @property
    def is_simple(self) -> bool:
        """Whether its number of iterations tells the way back."""
        return len(self.latches) == 1 and len(self.entries) == 1


class Flow:
    """`loops`: whether they are looked for; what has loops with several entries is refused then."""

    def __init__(self, function: Function, loops: bool = True):
        by_name = {block.name: block for block in function.blocks}
        self.next = {b: [by_name[n] for n in dict.fromkeys(b.end.labels)] for b in function.blocks}
        _cut_errors(function.blocks, self.next)
        self.order = _reverse_postorder(function.blocks[0], self.next)
        function.blocks = self.order
        function.name_values()
        self.before: dict[Block, list[Block]] = {b: [] for b in self.order}
        for block in self.order:
            for following in self.next[block]:
                self.before[following].append(block)
        self.position = {block: k for k, block in enumerate(self.order)}
        self._dominator = self._dominators()
        self.loops = self._loops() if loops else []  # the innermost first
        self.of_header = {loop.header: loop for loop in self.loops}
        self.around: dict[Block, list[Loop]] = {  # the loops around each block, the innermost first
            block: [loop for loop in self.loops if block in loop.body] for block in self.order
        }
        self._tidy_phis(by_name)

    def dominates(self, a: Block, b: Block) -> bool:
        """Whether a has run whenever b runs."""
        while self.position[b] > self.position[a]:
            b = self._dominator[b]
        return a is b

    def exits(self, loop: Loop) -> list[Block]:
        """The blocks behind a loop."""
        found = {n: None for b in self.order if b in loop.body for n in self.next[b] if n not in loop.body}
        return [block for block in found if block.end.op != "raise"]

    def _tidy_phis(self, by_name) -> None:
        """Blocks that are never reached leave the phis."""
        for block in self.order:
            reached = {b.name for b in self.before[block]}
            for phi in block.phis:
                pairs = [(a, n) for a, n in zip(phi.args, phi.labels) if n in reached]
                if len(pairs) < len(phi.args):
                    phi.args, phi.labels = [a for a, _ in pairs], [n for _, n in pairs]
                    phi.types = phi.types[: len(pairs)]
                    phi.text = f"phi {phi.type} " + ", ".join(f"[ {a}, %{n} ]" for a, n in pairs)

    def _dominators(self) -> dict[Block, Block]:
        """The nearest dominator of each block (Cooper, Harvey, Kennedy, A simple, fast dominance algorithm, 2001)."""
        found = {self.order[0]: self.order[0]}
        changed = True
        while changed:
            changed = False
            for block in self.order[1:]:
                nearest = None
                for other in self.before[block]:
                    if other in found:
                        nearest = other if nearest is None else self._meet(other, nearest, found)
                assert nearest is not None
                if found.get(block) is not nearest:
                    found[block], changed = nearest, True
        return found

    def _meet(self, a: Block, b: Block, found) -> Block:
        while a is not b:
            while self.position[a] > self.position[b]:
                a = found[a]
            while self.position[b] > self.position[a]:
                b = found[b]
        return a

    def _loops(self) -> list[Loop]:
        loops = []
        for header in self.order:
            back = [b for b in self.before[header] if self.position[b] >= self.position[header]]
            if any(not self.dominates(header, b) for b in back):
                raise Refused("a loop of it has two entries")
            if back:
                body, waiting = {header}, list(back)
                while waiting:
                    block = waiting.pop()
                    if block not in body:
                        body.add(block)
                        waiting += self.before[block]
                entries = [b for b in self.before[header] if b not in body]
                loops.append(Loop(header, back, entries, body, f"%k{len(loops)}"))
        return sorted(loops, key=lambda loop: len(loop.body))


def _cut_errors(blocks: list[Block], following) -> None:
    """A block that leads to errors only, by way of a message that is put together, is itself the error."""
    before: dict[Block, list[Block]] = {block: [] for block in blocks}
    for block in blocks:
        for other in following[block]:
            before[other].append(block)
    good: set[Block] = set()
    waiting = [block for block in blocks if block.end.op == "ret"]
    while waiting:
        block = waiting.pop()
        if block not in good:
            good.add(block)
            waiting += before[block]
    for block in blocks:
        if block not in good:
            if block.end.op != "raise":
                block.end = Instruction("", "raise", "", detail="1")
            block.phis, block.body, following[block] = [], [], []


def _reverse_postorder(start: Block, following) -> list[Block]:
    order, seen = [], {start}
    stack = [(start, iter(following[start]))]
    while stack:
        block, rest = stack[-1]
        for other in rest:
            if other not in seen:
                seen.add(other)
                stack.append((other, iter(following[other])))
                break
        else:
            order.append(block)
            stack.pop()
    return order[::-1]
