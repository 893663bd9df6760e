"""Runs that a step starts: finding their version, and reading how they ended."""

from typing import Any

from canvas.domain.decider import Completed, Failed, Outcome, StartChild
from canvas.domain.errors import CanvasError
from canvas.domain.states import RunStatus
from canvas.domain.validation import check_parameters
from canvas.engine.active import ActiveRun
from canvas.engine.plans import Plans
from canvas.engine.reading import DueStep, Reader
from canvas.engine.text import new_key
from canvas.engine.transitions import Child

MAX_DEPTH = 10


class ChildRefused(CanvasError):
    """The run that a step asks for cannot be started."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # each refusal has a code of its own


class Children:
    """Prepares child runs and reads their ends."""

    def __init__(self, reader: Reader, plans: Plans) -> None:
        self._reader = reader
        self._plans = plans

    def prepare(self, run: ActiveRun, wanted: StartChild) -> Child:
        """Find what is to be started.

        Raises:
            ChildRefused: it nests too deep, there is no such version, or the parameters do not fit.
        """
        if run.depth + 1 > MAX_DEPTH:
            raise ChildRefused("too_deep", f"Workflows may start each other {MAX_DEPTH} deep, no deeper.")
        found = self._reader.version(wanted.workflow, wanted.version)
        if found is None:
            which = "published version" if wanted.version is None else f"version {wanted.version}"
            raise ChildRefused("workflow_not_found", f"There is no {which} of a workflow {wanted.workflow!r}.")
        parameters = self._plans.get(found.id).definition.parameters
        values, problems = check_parameters(parameters, wanted.parameters)
        if problems:
            told = " ".join(problem.text for problem in problems)
            raise ChildRefused("invalid_parameters", f"{wanted.workflow!r} cannot be started like this: {told}")
        return Child(new_key(), found.workflow_id, found.id, wanted.workflow, found.number, dict(values))

    def rehearsed(self, run: ActiveRun, wanted: StartChild) -> Outcome | None:
        """Answer for a child run in a dry run: from a fixture, or with nothing if there is no such workflow."""
        name = wanted.path.rpartition("/")[2]
        if not run.dry_run:
            return None
        is_missing = self._reader.version(wanted.workflow, wanted.version) is None
        if name not in run.fixtures and not is_missing:
            return None
        return Completed(wanted.path, wanted.attempt, run.fixtures.get(name, {}))

    def outcome(self, due: DueStep) -> Outcome | None:
        """Read how a child run ended; None while it has not."""
        row: Any = self._reader.run(due.child_run_id or "")
        if row is None:
            error = {"code": "child_gone", "message": "The run it waits for does not exist any more."}
            return Failed(due.path, due.attempt, error, retryable=False)
        if not row.status.is_terminal:
            return None
        if row.status is RunStatus.COMPLETED:
            output = self._reader.payload(row.output_hash) if row.output_hash else row.output
            return Completed(due.path, due.attempt, output)
        told = (row.error or {}).get("message") or "without saying why"
        what = "failed" if row.status is RunStatus.FAILED else "was cancelled"
        error = {
            "code": f"child_{row.status.value}",
            "message": f"The run of {row.workflow_name!r} {what}: {told}",
            "run_id": row.id,
        }
        return Failed(due.path, due.attempt, error, retryable=row.status is RunStatus.FAILED)
