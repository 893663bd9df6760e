"""Hypothesis strategies: any JSON value, and any valid definition."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import strategies as st

from canvas.domain.catalog import ActionSpec, Catalog, WorkflowSignature
from canvas.domain.definition import (
    Concurrency,
    Definition,
    EventTrigger,
    Layout,
    Output,
    Parameter,
    RunSettings,
    ScheduleTrigger,
    Trigger,
    WebhookTrigger,
)
from canvas.domain.states import (
    Backoff,
    Branch,
    CatchUp,
    Complexity,
    JoinMode,
    OnError,
    OnItemFailure,
    OnLost,
    OthersPolicy,
    Overlap,
    ParameterType,
    Respond,
    RunStatus,
    Signature,
    StepType,
    SwitchMatch,
    TaskOwner,
    TaskType,
    WorkflowStatus,
)
from canvas.domain.steps import (
    ActionStep,
    Case,
    ConditionStep,
    Dependency,
    Join,
    LoopStep,
    ParallelStep,
    Retry,
    Scope,
    SetStep,
    Step,
    StopStep,
    SubTask,
    SwitchStep,
    TaskStep,
    WaitFor,
    WaitSeconds,
    WaitStep,
    WaitUntil,
    WorkflowLinkStep,
)
from canvas.domain.tasks import SKIPPED

ALL_TYPES = tuple(StepType)

OUTCOMES = ("APPROVED", "REJECTED", "LATER_2")
CATALOG = Catalog(
    actions={
        name: ActionSpec(
            name=name,
            title=name,
            description="For tests.",
            category="test",
            arguments_schema={"type": "object"},
            result_schema={},
            example_arguments={},
            example_result={"ok": True},
            idempotent=name == "test/echo",
        )
        for name in ("test/echo", "test/charge")
    },
    workflows={
        "child": WorkflowSignature(
            name="child", parameters={"given": Parameter(type=ParameterType.ANY), "count": Parameter(type="integer")}
        )
    },
)
"""What the definitions from `definitions()` name."""

_AWKWARD = (
    *("yes", "on", "null", "~", "1e3", "0x1F", "1_000", "12:30:00", "2024-01-01", ".5", "=", "<<", "a: b", "a #b", "#"),
    *("- x", "? x", "[1]", "{a}", "a, b", "'", '"', 'it\'s "so"', "\\", " lead", "trail ", "two\nlines", "a\n\nb\n"),
    *("end\n\n", " x\ny", "\ttab", "tab\tin", "\r\n", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "😀", "é", "%", "@a"),
    *("`", "!", "&a", "*a", "|", ">", "-", "--- a", "...", ":", "a:", "::", "x" * 150, "true", "False", "Null", "NaN"),
    *("a\nb\n\n", ".inf", "-.INF", "0o17", "007", "+1", "1.", "a\n  b\n c", "a \nb", "\n", "\n\n"),
)
_words = st.text(alphabet="abcxyz_09", min_size=1, max_size=6)


@cache
def texts() -> st.SearchStrategy[str]:
    """Text of every sort but lone surrogates, the sorts that YAML trips over more often."""
    wild = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
    return st.sampled_from(_AWKWARD) | _words | wild


@cache
def plain_texts() -> st.SearchStrategy[str]:
    """Text that is no template."""
    return texts().filter(lambda text: "{{" not in text and "}}" not in text)


@cache
def json_values(*, plain: bool = False) -> st.SearchStrategy[Any]:
    """Any JSON value of moderate size; `plain` ones hold no template."""
    strings = plain_texts() if plain else texts()
    numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    leaves = st.none() | st.booleans() | numbers | strings
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3), max_leaves=6
    )


@dataclass
class _Draw:
    """Draws one definition; keeps what expressions may name at the place it has come to."""

    draw: st.DrawFn
    types: tuple[StepType, ...]
    left: int
    max_depth: int
    names: int = 0
    visible: list[str] = field(default_factory=list)
    "Steps of the outer scopes that have run."
    variables: list[str] = field(default_factory=list)
    "Loop variables."

    def scope(self, depth: int, *, least: int = 0) -> Scope:
        """Draw the steps of one list, each waiting for some of those before it."""
        steps: list[Step] = []
        before: dict[str, set[str]] = {}
        most = max(least, min(self.left, 5))
        for _ in range(self.draw(st.integers(least, most))):
            self.left -= 1
            dependencies = self.dependencies(steps)
            ran = {name for one in dependencies for name in (one.step, *before[one.step])}
            outer, self.visible = self.visible, [*self.visible, *sorted(ran)]
            steps.append(self.step(dependencies, depth))
            self.visible = outer
            before[steps[-1].name] = ran
        return Scope(tuple(steps))

    def dependencies(self, steps: list[Step]) -> tuple[Dependency, ...]:
        """Draw up to three different outcomes of earlier steps."""
        outcomes = [one for step in steps[-4:] for one in branches_of(step)]
        if not outcomes or (self.draw(st.booleans()) and not steps):
            return ()
        chosen = self.draw(st.lists(st.sampled_from(range(len(outcomes))), max_size=3, unique=True))
        return tuple(outcomes[index] for index in sorted(chosen))

    def step(self, dependencies: tuple[Dependency, ...], depth: int) -> Step:
        """Draw one step of any type."""
        self.names += 1
        name = f"{self.draw(st.sampled_from(('s', 'step_', '_x')))}{self.names}"
        allowed = [one for one in self.types if not one.is_container or (depth < self.max_depth and self.left > 0)]
        step_type = self.draw(st.sampled_from(allowed))
        return getattr(self, f"_{step_type}")(depth, **self._common(name, dependencies, step_type))

    def expression(self) -> str:
        """Draw a condition over what can be named here."""
        names = [f"steps.{name}.status == 'completed'" for name in self.visible]
        names += [f"steps.{name}.output != null" for name in self.visible]
        names += [f"{name} != null" for name in self.variables]
        return self.draw(st.sampled_from(["workflow.parameters.count > 1", "run.id != ''", "1 < 2", *names]))

    def template(self) -> Any:
        """Draw a value: a template over what can be named here, or plain data."""
        alone = st.just(f"{{{{ {self.expression()} }}}}")
        return self.draw(alone | st.just(f"a {{{{ {self.expression()} }}}} b") | json_values(plain=True))

    def subject(self) -> Any:
        """Draw what a switch compares: an expression, a template, or plain data that is no text."""
        expression = self.expression()
        return self.draw(st.sampled_from([expression, f"{{{{ {expression} }}}}", 3, True, [1]]))

    def _common(self, name: str, dependencies: tuple[Dependency, ...], step_type: StepType) -> dict[str, Any]:
        draw = self.draw
        common: dict[str, Any] = {"name": name, "depends_on": dependencies}
        if draw(st.booleans()):
            common |= {"title": draw(texts()), "description": draw(texts())}
        if step_type is not StepType.STOP and draw(st.integers(0, 3)) == 0:
            common |= {
                "retry": draw(st.none() | retries()),
                "timeout_seconds": draw(st.none() | st.sampled_from([0.5, 30, 3600])),
                "on_error": draw(st.sampled_from(OnError)),
                "on_lost": draw(st.sampled_from(OnLost)),
                "enabled": draw(st.booleans()),
            }
        if len(dependencies) > 1 and not step_type.is_container:
            common["join"] = draw(joins(len(dependencies)))
        return common

    def _action(self, depth: int, **common: Any) -> Step:
        parameters = {self.draw(_words): self.template() for _ in range(self.draw(st.integers(0, 2)))}
        action = self.draw(st.sampled_from(("test/echo", "test/charge")))
        return ActionStep(action=action, version=self.draw(st.none() | st.just(1)), parameters=parameters, **common)

    def _condition(self, depth: int, **common: Any) -> Step:
        return ConditionStep(condition=self.expression(), **common)

    def _switch(self, depth: int, **common: Any) -> Step:
        scalars = st.none() | st.booleans() | st.integers(-3, 3)
        scalars |= st.sampled_from([0.5, "a", "b", "yes", "", {"a": 1}, {"value": 2}, ["x"]])
        values = self.draw(st.lists(scalars, min_size=1, max_size=3, unique_by=repr))
        cases = tuple(Case(value, self.expression() if self.draw(st.booleans()) else None) for value in values)
        return SwitchStep(on=self.subject(), cases=cases, match=self.draw(st.sampled_from(SwitchMatch)), **common)

    def _parallel(self, depth: int, **common: Any) -> Step:
        inner = self.scope(depth + 1, least=1)
        waited_for = {one.step for step in inner.steps for one in step.depends_on}
        ends = sum(step.name not in waited_for for step in inner.steps)
        return ParallelStep(steps=inner, join=self.draw(joins(ends)), **common)

    def _loop(self, depth: int, **common: Any) -> Step:
        variable = f"item_{self.names}"
        kind = self.draw(st.sampled_from(("collection", "while_", "times")))
        items = st.lists(json_values(plain=True), max_size=4)
        over: dict[str, Any] = {
            "collection": lambda: self.draw(items | st.just("{{ workflow.parameters.items }}")),
            "times": lambda: self.draw(st.integers(0, 5) | st.just("{{ workflow.parameters.count }}")),
            "while_": lambda: "index < workflow.parameters.count",
        }[kind]()
        outer, self.variables = self.variables, [*self.variables, variable, "index", "loop"]
        inner = self.scope(depth + 1, least=1)
        self.variables = outer
        return LoopStep(
            **{kind: over},
            item_variable=variable,
            steps=inner,
            concurrency=self.draw(st.integers(1, 4)),
            max_iterations=self.draw(st.sampled_from((10, 1_000, 100_000))),
            on_item_failure=self.draw(st.sampled_from(OnItemFailure)),
            output=self.draw(st.sampled_from([None, "{{ index }}", f"{{{{ steps.{inner.steps[0].name}.status }}}}"])),
            **common,
        )

    def _workflow_link(self, depth: int, **common: Any) -> Step:
        parameters = {"given": self.template()} if self.draw(st.booleans()) else {}
        version = self.draw(st.none() | st.integers(1, 9))
        wait = self.draw(st.booleans())
        return WorkflowLinkStep(workflow="child", version=version, parameters=parameters, wait=wait, **common)

    def _wait(self, depth: int, **common: Any) -> Step:
        seconds = st.sampled_from([0, 1, 2.5, "{{ workflow.parameters.count }}"]).map(WaitSeconds)
        until = st.sampled_from(["2030-01-01T00:00:00Z", "{{ run.started_at }}"]).map(WaitUntil)
        alternatives: list[WaitFor] = self.draw(st.lists(seconds | until, min_size=1, max_size=2))
        return WaitStep(alternatives=tuple(alternatives), **common)

    def _task(self, depth: int, **common: Any) -> Step:
        draw = self.draw
        common |= {"title": "", "description": draw(plain_texts())}
        priorities = st.integers(1, 5) | st.just("{{ workflow.parameters.count }}")
        parts = st.builds(SubTask, action=plain_texts(), priority=st.none() | priorities)
        moments = st.sampled_from([None, 0, 3600.5, "2030-01-01T00:00:00Z", "{{ run.started_at }}"])
        return TaskStep(
            action=draw(plain_texts()),
            task_type=draw(st.sampled_from(TaskType)),
            owner=draw(st.none() | st.sampled_from(TaskOwner)),
            priority=draw(priorities),
            due=draw(moments),
            outcomes=tuple(draw(st.lists(st.sampled_from(OUTCOMES), unique=True))),
            form=draw(st.none() | st.just({"type": "object"})),
            complexity=draw(st.none() | st.sampled_from(Complexity)),
            subtasks=tuple(draw(st.lists(parts, max_size=2))),
            details={"n": self.template()} if draw(st.booleans()) else {},
            **common,
        )

    def _set(self, depth: int, **common: Any) -> Step:
        values = {
            self.draw(_words.filter(str.isidentifier)): self.template() for _ in range(self.draw(st.integers(1, 2)))
        }
        return SetStep(values=values, **common)

    def _stop(self, depth: int, **common: Any) -> Step:
        status = self.draw(st.sampled_from((RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)))
        return StopStep(status=status, message=self.draw(plain_texts()), output=self.template(), **common)


def branches_of(step: Step) -> list[Dependency]:
    """List every outcome of a step that another may wait for; none for a stop, after which nothing runs."""
    if isinstance(step, StopStep):
        return []
    branches = [Branch.SUCCESS, Branch.FAILURE, Branch.ALWAYS]
    if isinstance(step, ConditionStep):
        branches += [Branch.IF_TRUE, Branch.IF_FALSE]
    found = [Dependency(step.name, branch) for branch in branches]
    if isinstance(step, TaskStep):
        found += [Dependency(step.name, Branch.OUTCOME, outcome) for outcome in (*step.outcomes, SKIPPED)]
    if isinstance(step, SwitchStep):
        found += [Dependency(step.name, Branch.SWITCH_CASE, case.value) for case in step.cases]
        found.append(Dependency(step.name, Branch.DEFAULT))
    return found


@cache
def retries() -> st.SearchStrategy[Retry]:
    """Any retry policy."""
    return st.builds(
        Retry,
        max_attempts=st.integers(1, 5),
        delay_seconds=st.sampled_from([0, 0.2, 1.0, 5]),
        backoff=st.sampled_from(Backoff),
        max_delay_seconds=st.sampled_from([0.5, 60.0, 3600]),
        jitter=st.booleans(),
    )


@cache
def joins(dependencies: int) -> st.SearchStrategy[Join]:
    """Any join that makes sense for so many dependencies, of which there is at least one."""
    modes = st.sampled_from((JoinMode.ACTIVATED, JoinMode.ANY))
    free = st.builds(Join, mode=modes, others=st.sampled_from(OthersPolicy))
    counted = st.builds(
        Join, mode=st.just(JoinMode.N_OF_M), n=st.integers(1, dependencies), others=st.sampled_from(OthersPolicy)
    )
    return st.just(Join()) | free | counted


@cache
def triggers() -> st.SearchStrategy[Trigger]:
    """Any trigger."""
    common: dict[str, Any] = {
        "enabled": st.booleans(),
        "parameters": st.sampled_from([{"mode": "fast"}, {"mode": "slow", "count": "{{ trigger.data.n }}"}]),
    }
    clock: dict[str, Any] = {
        "timezone": st.sampled_from(("UTC", "Europe/Paris")),
        "jitter_seconds": st.sampled_from([0, 90, 0.5]),
        "overlap": st.sampled_from(Overlap),
        "catch_up": st.sampled_from(CatchUp),
    }
    return st.one_of(
        st.builds(ScheduleTrigger, cron=st.sampled_from(("0 2 * * *", "*/5 * * * 1-5")), **clock, **common),
        st.builds(ScheduleTrigger, interval_seconds=st.sampled_from([60, 90.5]), **clock, **common),
        st.builds(
            EventTrigger, event=st.just("task.completed"), filter=st.none() | st.just("event.data.n > 1"), **common
        ),
    )


@cache
def webhooks() -> st.SearchStrategy[list[Trigger]]:
    """A few webhooks with paths of their own."""
    paths = st.lists(st.sampled_from(("deploy", "a/b", "x-1")), unique=True, max_size=2)
    methods = st.sampled_from((("POST",), ("GET", "PUT")))
    return paths.flatmap(
        lambda drawn: st.tuples(
            *(
                st.builds(
                    WebhookTrigger,
                    path=st.just(path),
                    methods=methods,
                    signature=st.sampled_from(Signature),
                    respond=st.sampled_from(Respond),
                    respond_timeout_seconds=st.sampled_from([30.0, 2.5]),
                    parameters=st.just({"mode": "fast"}),
                )
                for path in drawn
            )
        )
    ).map(list)


@st.composite
def definitions(
    draw: st.DrawFn, *, types: tuple[StepType, ...] = ALL_TYPES, max_steps: int = 12, max_depth: int = 3
) -> Definition:
    """Draw a valid definition: every step type, nested containers, branches, joins, retries, triggers.

    Args:
        types: The step types to draw from; at least one must be no container.
        max_steps: About how many steps, at any depth.
        max_depth: How deep containers nest.
    """
    scope = _Draw(draw, types, max_steps, max_depth).scope(1, least=1)
    first = scope.steps[0].name
    return Definition(
        name="drawn",
        title=draw(texts()),
        description=draw(texts()),
        version=draw(st.sampled_from(("1.0.0", "0.2.10", "2.0.0-rc.1"))),
        status=draw(st.sampled_from(WorkflowStatus)),
        category=draw(texts()),
        tags=tuple(draw(st.lists(texts(), max_size=2))),
        parameters={
            "count": Parameter(
                type=ParameterType.INTEGER, default=draw(st.none() | st.integers(0, 9)), title=draw(texts())
            ),
            "items": Parameter(type=ParameterType.LIST, default=[1, "two"]),
            "mode": Parameter(type=ParameterType.STRING, required=draw(st.booleans()), enum=("fast", "slow")),
            "free": Parameter(type=ParameterType.ANY, default=draw(json_values()), description=draw(texts())),
        },
        outputs={"first": Output(type=ParameterType.ANY, value=f"{{{{ steps.{first}.output }}}}")},
        settings=RunSettings(
            timeout_minutes=draw(st.none() | st.sampled_from([0.5, 60])),
            max_retries=draw(st.integers(0, 3)),
            concurrency=Concurrency(limit=draw(st.integers(0, 3))),
        ),
        triggers=tuple(draw(st.lists(triggers(), max_size=2)) + draw(webhooks())),
        scope=scope,
    )


def layouts(names: list[str]) -> st.SearchStrategy[Layout]:
    """Places for some of the steps."""
    numbers = st.integers(-5_000, 5_000) | st.sampled_from([0.5, -12.25])
    return st.dictionaries(st.sampled_from(names), st.tuples(numbers, numbers)) if names else st.just({})
