"""Actions that compute: values in, values out, nothing outside."""

import asyncio
import time
from typing import Any

from pydantic import BaseModel, Field, model_validator

from canvas.actions.context import ActionContext
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import Arguments, action
from canvas.domain.expressions import ExpressionError, Program, compile_expression

MAX_ITEMS = 100_000
MAX_SECONDS = 10.0


class Transform(Arguments):
    """Values and what to make of them: either `expression` or `mapping`."""

    input: Any = Field(default=None, description="The values to work on; expressions call them `input`.")
    expression: str = Field(
        default="",
        description="Gives the result, for example `input.filter(order, order.amount > 100)`. Without braces.",
        json_schema_extra={"x-widget": "expression"},
    )
    mapping: dict[str, str] = Field(
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


class TransformFailed(ActionFailed):
    """The values cannot be transformed like this."""

    code = "transform_failed"


@action(
    "data/transform",
    title="Transform data",
    category="Data",
    icon="shuffle",
    idempotent=True,
    touches_world=False,
    permissions=(),
    security="Bounded in time and memory; expressions reach nothing but the values they are given.",
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
    try:
        if args.expression:
            return compile_expression(args.expression).evaluate({"input": args.input})
        fields = {name: compile_expression(text) for name, text in args.mapping.items()}
        if isinstance(args.input, list):
            return _map_items(fields, args.input)
        return _map_one(fields, {"input": args.input})
    except ExpressionError as error:
        raise TransformFailed(str(error), column=error.details.get("column"), hint=error.details.get("hint")) from None


def _map_items(fields: dict[str, Program], items: list[Any]) -> list[dict[str, Any]]:
    if len(items) > MAX_ITEMS:
        raise TransformFailed(f"The input has {len(items):,} items; at most {MAX_ITEMS:,} can be mapped in one step.")
    deadline = time.monotonic() + MAX_SECONDS
    mapped = []
    for index, item in enumerate(items):
        mapped.append(_map_one(fields, {"input": items, "item": item, "index": index}))
        if time.monotonic() > deadline:
            raise TransformFailed(
                f"Mapping took longer than {MAX_SECONDS:g} s; it got to item {index} of {len(items)}."
            )
    return mapped


def _map_one(fields: dict[str, Program], context: dict[str, Any]) -> dict[str, Any]:
    return {name: program.evaluate(context) for name, program in fields.items()}
