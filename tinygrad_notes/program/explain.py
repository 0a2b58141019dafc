"""What compiling made of a program, as text: the passes, the kernels with their bytes, what stayed in Python."""
from .kernels import Loop
from .passes import optimize
from .program import Value


def explain(program, executor):
    """The report on one recorded program.

    Args:
        program: as it was recorded.
        executor: what runs it (a `run.base.Executor`), or None for one that runs it as recorded.

    Returns:
        Lines of text.
    """
    lines = [f"recorded: {len(program.instructions)} instructions, {len(program.inputs)} inputs, "
             f"{len(program.states)} states, {len(program.results())} results"]
    if executor is None:
        return [*lines, "runs as it was recorded, one instruction after the other", "", program.text(scopes=True)]
    counts = [len(program.instructions)]

    def seen(name, now):
        change = len(now.instructions) - counts[-1]
        lines.append(f"    {name:10} {len(now.instructions):5} instructions" + (f" ({change:+})" if change else ""))
        counts.append(len(now.instructions))
    optimize(program, executor.skip, seen)
    lines += ["", *kernel_lines(executor), "", "before:", program.text(scopes=True), "", "after:",
              executor.program.text(scopes=True)]
    return lines


def kernel_lines(executor):
    """One line per kernel: what runs together, what it reads and writes."""
    fusion, memory = executor.fusion, executor.memory
    loops = [k for k in fusion.kernels if isinstance(k, Loop)]
    inside = sum(len(k.members) for k in loops)
    lines = [f"{len(fusion.kernels)} kernels; {inside} instructions run in {len(loops)} loops; arena "
             f"{memory.size / 1024:.1f} KiB; {len(memory.direct)} states written in place; {len(memory.inside)} arrays "
             "computed in their place in a larger one"]
    if hasattr(executor, "captured"):
        stretches, graphs = executor.captured()
        lines += [f"  {stretches} stretches of kernels, each launched as one CUDA graph; {graphs} sets of addresses "
                  "captured so far"]
    for k in fusion.kernels:
        read, written = traffic(executor, k)
        if isinstance(k, Loop):
            names = " ".join(i.name for i in k.members)
            names = names if len(names) <= 90 else names[:87] + "..."
            rows = "" if not k.inner else f", rows reduced over axes {sorted(k.inner)}"
            what = f"loop {'x'.join(map(str, k.sizes)) or 'of one'}{rows}: {names}"
        else:
            where = "" if not executor.in_python(k) else "   [Python: it has no other form]"
            what = f"{k.instruction.name} -> {', '.join(str(v.shape) for v in k.instruction.made)}{where}"
        lines.append(f"  {k.index:3} {read / 1024:9.1f} KiB in {written / 1024:9.1f} KiB out   {what}")
    return lines


def traffic(executor, kernel):
    """(bytes read, bytes written) of a kernel, each array counted once."""
    members = kernel.members if isinstance(kernel, Loop) else [kernel.instruction]
    made = set(kernel.results)
    read = {executor.views.of(x).root for i in members for x in i.inputs if isinstance(x, Value)} - made
    written = [v for v in made if v in executor.stored or not isinstance(kernel, Loop)]
    return sum(v.nbytes for v in read), sum(v.nbytes for v in written)

