"""What the expressions of a step see: its own scope's steps and those around it, and the variables of its loops."""

from collections.abc import Iterator, Mapping
from typing import Any

from canvas.domain.decider.plan import Node, Program
from canvas.domain.decider.state import Frame, RunState
from canvas.domain.states import StepStatus, StepType

_FIELDS = ("status", "output", "error", "attempt")


class StepView(Mapping[str, Any]):
    """One step as expressions see it. The output is fetched only when it is asked for."""

    __slots__ = ("_frame", "_place", "_state")

    def __init__(self, state: RunState, frame: Frame, place: int) -> None:
        self._state = state
        self._frame = frame
        self._place = place

    def __getitem__(self, key: str) -> Any:
        slot = self._frame.slots[self._place]
        match key:
            case "output":
                if slot.status is not StepStatus.COMPLETED:
                    return None
                return _output(self._state, self._frame, self._place)
            case "status":
                return slot.status.value
            case "error":
                return slot.error
            case "attempt":
                return slot.attempt
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)


class StepsView(Mapping[str, Any]):
    """The steps a frame sees, by name: its own, then those of the frames around it."""

    __slots__ = ("_frame", "_state")

    def __init__(self, state: RunState, frame: Frame) -> None:
        self._state = state
        self._frame = frame

    def __getitem__(self, name: str) -> StepView:
        frame: Frame | None = self._frame
        while frame is not None:
            place = frame.scope.places.get(name)
            if place is not None:
                return StepView(self._state, frame, place)
            frame = frame.parent
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        frame: Frame | None = self._frame
        while frame is not None:
            yield from frame.scope.places
            frame = frame.parent

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Answer(Mapping[str, Any]):
    """What an action would have given, in a dry run: what it does not say is an empty object."""

    __slots__ = ("_given",)

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def __getitem__(self, key: str) -> Any:
        return _answer(self._given[key]) if key in self._given else _NOTHING

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


_NOTHING = Answer({})
"Has every member, each of them like itself."


def evaluate(state: RunState, program: Program, names: Mapping[str, Any]) -> Any:
    """Evaluate a template of a step.

    Raises:
        ExpressionError: it cannot be evaluated.
    """
    value = program.evaluate(names)
    return _plain(value) if state.info.is_dry else value


def names_in(state: RunState, frame: Frame) -> dict[str, Any]:
    """Give the names that are known in a frame. Kept with the frame; callers must not change it."""
    if frame.names is None:
        outer = names_in(state, frame.parent) if frame.parent is not None else _run_names(state)
        frame.names = {**outer, "steps": StepsView(state, frame), **_loop_names(frame)}
    return frame.names


def names_for(state: RunState, frame: Frame, node: Node) -> dict[str, Any]:
    """Give the names that a step's own templates see; `previous_step` is its one live dependency."""
    names = names_in(state, frame)
    if not node.uses_previous:
        return names
    lived = {source for source in node.sources if frame.slots[source].status is not StepStatus.SKIPPED}
    if len(lived) != 1:
        return names
    return {**names, "previous_step": StepView(state, frame, lived.pop())}


def _run_names(state: RunState) -> dict[str, Any]:
    info = state.info
    return {
        "workflow": {"name": info.workflow_name, "version": info.version, "parameters": info.parameters},
        "run": {
            "id": info.id,
            "started_at": info.started_at.isoformat() if info.started_at else None,
            "triggered_by": info.triggered_by,
        },
        "trigger": {"type": info.trigger_type, "data": info.trigger_data},
        "context": state.context,
        "vars": {},
    }


def _loop_names(frame: Frame) -> dict[str, Any]:
    if frame.parent is None or frame.container.loop is None:
        return {}
    loop, step, index = frame.container.loop, frame.node.step if frame.node else None, frame.index
    item = loop.items[index] if loop.items is not None else index
    return {
        getattr(step, "item_variable", "item"): item,
        "index": index,
        "loop": {
            "index": index,
            "count": loop.total,
            "first": index == 0,
            "last": None if loop.total is None else index == loop.total - 1,
        },
    }


def _output(state: RunState, frame: Frame, place: int) -> Any:
    node = frame.scope.nodes[place]
    output = state.values[frame.prefix + node.name]
    return _answer(output) if state.info.is_dry and node.type is StepType.ACTION else output


def _answer(value: Any) -> Any:
    return Answer(value) if isinstance(value, Mapping) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
