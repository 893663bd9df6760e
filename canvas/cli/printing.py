"""How problems and values are printed."""

from collections.abc import Iterable
from typing import Any

import click
import orjson

from canvas.domain.problems import Problem


def print_json(value: Any) -> None:
    """Print a value as indented JSON; dataclasses and moments are written as they are."""
    click.echo(orjson.dumps(value, default=dict, option=orjson.OPT_INDENT_2).decode())


def print_problems(source: str, problems: Iterable[Problem]) -> None:
    """Print one line per problem, `file:line:column severity [code] sentence`, as compilers do."""
    for problem in problems:
        place = source if problem.line is None else f"{source}:{problem.line}:{problem.column or 1}"
        if problem.line is None and problem.pointer:
            place = f"{source}#{problem.pointer}"
        hint = f" {problem.hint}" if problem.hint else ""
        word = click.style(problem.severity, fg="red" if problem.is_error else "yellow")
        click.echo(f"{place}: {word} [{problem.code}] {problem.text}{hint}", err=True)
