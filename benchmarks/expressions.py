"""Expressions per second, and beside them Google's CEL where it is installed: `python -m benchmarks.expressions`.

The context is a run of 50 steps with 1 KB of output each; in the second half one more output of 1 MB is there.
"""

import timeit
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from canvas.domain.expressions import compile_expression, compile_template, compile_value

EXPRESSIONS = {
    "path": "workflow.parameters.vm_name",
    "condition": "workflow.parameters.backup_enabled == true && steps.step_0.output.code < 400",
    "list": "steps.step_0.output.rows.filter(i, i.size > 3).map(i, i.name)",
}


def make_context(large: bool) -> dict[str, Any]:
    rows = [{"name": f"row {index}", "size": index} for index in range(6)]
    output = {"code": 200, "id": "i-1", "rows": rows, "text": "x" * 800}
    steps = {f"step_{index}": {"status": "completed", "output": output} for index in range(50)}
    if large:
        steps["large"] = {"status": "completed", "output": {"rows": [{"a": "x" * 120} for _ in range(8_000)]}}
    return {"workflow": {"parameters": {"vm_name": "web-1", "backup_enabled": True}}, "steps": steps}


def micros(run: Callable[[], Any], seconds: float = 0.15) -> float:
    """The median of seven measurements, in microseconds for one call."""
    once = max(timeit.timeit(run, number=3) / 3, 1e-8)
    number = max(1, int(seconds / 7 / once))
    return sorted(timeit.repeat(run, number=number, repeat=7))[3] / number * 1e6


def peer_of(text: str, context: dict[str, Any]) -> Callable[[], Any] | None:
    try:
        from cel_expr_python import cel
    except ImportError:
        return None
    program = cel.NewEnv(variables=dict.fromkeys(context, cel.Type.DYN)).compile(text)
    return lambda: program.eval(data=context).plain_value()


def line(name: str, ours: float, theirs: float | None = None) -> None:
    ratio = "" if theirs is None else f"{theirs:12.1f} {theirs / ours:10.0f}x"
    print(f"{name:34} {ours:10.2f} {ratio}")


def main() -> None:
    print(f"{'':34} {'ours, µs':>10} {'CEL, µs':>12} {'faster by':>11}")
    for large in (False, True):
        context = make_context(large)
        for name, text in EXPRESSIONS.items():
            program, peer = compile_expression(text), peer_of(text, context)
            assert peer is None or peer() == program.evaluate(context)
            ours = micros(partial(program.evaluate, context))
            line(f"{name}{', 1 MB more' * large}", ours, micros(peer) if peer else None)
    context = make_context(False)
    template = compile_template("vm-{{ workflow.parameters.vm_name }}-{{ steps.step_0.output.id }}")
    line("template of two", micros(lambda: template.evaluate(context)))
    value = compile_value({"json": {"name": "{{ workflow.parameters.vm_name }}", "constant": list(range(1_000))}})
    line("parameters, one filled in", micros(lambda: value.evaluate(context)))
    numbers = count()
    line(
        "compile the condition",
        micros(lambda: compile_expression(f"{EXPRESSIONS['condition']} || {next(numbers)} > 1")),
    )


if __name__ == "__main__":
    main()
