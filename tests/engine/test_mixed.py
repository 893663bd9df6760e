from canvas.domain.definition import Definition, Output
from canvas.domain.states import Branch, RunStatus
from canvas.domain.steps import ActionStep, ConditionStep, Dependency, LoopStep, ParallelStep, Scope


def echo(name, *after, **parameters):
    return ActionStep(
        name=name,
        action="test/echo",
        parameters=parameters,
        depends_on=tuple(Dependency(one) if isinstance(one, str) else one for one in after),
    )


def test_a_mixed_workflow_runs_to_its_end(house):
    """Chain, condition, loop and parallel run durably, and the run ends with its outputs."""
    definition = Definition(
        name="mixed",
        scope=Scope(
            (
                echo("first", text="hi {{ workflow.parameters.who }}"),
                ConditionStep(name="big", condition="workflow.parameters.n > 2", depends_on=(Dependency("first"),)),
                LoopStep(
                    name="each",
                    times="{{ workflow.parameters.n }}",
                    concurrency=2,
                    steps=Scope((echo("inside", i="{{ index }}"),)),
                    depends_on=(Dependency("big", Branch.IF_TRUE),),
                ),
                echo("small", Dependency("big", Branch.IF_FALSE)),
                ParallelStep(
                    name="fan",
                    steps=Scope((echo("left"), echo("right", a=1))),
                    depends_on=(Dependency("each"), Dependency("small")),
                ),
            )
        ),
        outputs={"count": Output(value="{{ steps.each.output.count }}"), "fan": Output(value="{{ steps.fan.output }}")},
    )

    run = house.run(definition, parameters={"who": "you", "n": 3})

    assert RunStatus.COMPLETED == run.status
    assert {"count": 3, "fan": {"left": {}, "right": {"a": 1}}} == run.output
    assert run.settled_steps == run.total_steps == 10
    statuses = house.statuses(run.id)
    assert "skipped" == statuses.pop("small")
    assert {"completed"} == set(statuses.values())
