"""Actions that compute: values in, values out, nothing outside."""

import asyncio
from typing import Any

from pydantic import BaseModel, Field, model_validator

from canvas.actions.context import ActionContext
from canvas.actions.items import Expression, bounded, compiled, evaluated
from canvas.actions.registry import Arguments, action
from canvas.domain.expressions import Program


class Transform(Arguments):
    """Values and what to make of them: either `expression` or `mapping`."""

    input: Any = Field(default=None, description="The values to work on; expressions call them `input`.")
    expression: Expression = Field(
        default="",
        description="Gives the result, for example `input.filter(order, order.amount > 100)`. Without braces.",
    )
    mapping: dict[str, Expression] = Field(
        default_factory=dict,
        description="Gives an object with these fields, each from its own expression, without braces. When the input "
        "is a list, one object per item, and expressions may use `item` and `index` too.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "Transform":
        if bool(self.expression.strip()) == bool(self.mapping):
            raise ValueError("give either an expression or a mapping")
        return self


class Transformed(BaseModel):
    """What came out."""

    result: Any = Field(description="The value of the expression, or the mapped object or list of objects.")


@action(
    "data/transform",
    title="Transform data",
    category="Data",
    icon="shuffle",
    idempotent=True,
    touches_world=False,
    permissions=(),
    security="Only computes, on the values it is given; expressions cannot reach anything else. "
    "At most 100,000 items and 10 seconds.",
    example=Transform(
        input=[{"id": 7, "net": 100}, {"id": 8, "net": 50}], mapping={"order": "item.id", "gross": "item.net * 1.2"}
    ),
    example_result=Transformed(result=[{"order": 7, "gross": 120.0}, {"order": 8, "gross": 60.0}]),
)
async def transform(args: Transform, context: ActionContext) -> Transformed:
    """Make new values out of given ones, by an expression or field by field.

    Computes only: the same input gives the same result, and a dry run really does it.
    """
    del context
    return Transformed(result=await asyncio.to_thread(_transform, args))


def _transform(args: Transform) -> Any:
    if args.expression:
        return evaluated(compiled(args.expression, "expression"), {"input": args.input}, "expression")
    fields = {name: compiled(text, name) for name, text in args.mapping.items()}
    if not isinstance(args.input, list):
        return _mapped(fields, {"input": args.input})
    return [
        _mapped(fields, {"input": args.input, "item": item, "index": index})
        for index, item in bounded(args.input, "mapped")
    ]


def _mapped(fields: dict[str, Program], names: dict[str, Any]) -> dict[str, Any]:
    return {name: evaluated(program, names, name) for name, program in fields.items()}
