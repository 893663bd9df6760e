"""The expression language: CEL's surface, a documented subset, bounded in time and memory.

Parsed once, compiled to closures over plain JSON values, and kept. Nothing in data is ever evaluated, and nothing is
ever substituted as text into an expression. `docs/expressions.md` is its manual.
"""

from canvas.domain.expressions.catalogue import FUNCTIONS, MACROS, Function
from canvas.domain.expressions.faults import (
    ExpressionError,
    ExpressionLimitError,
    ExpressionSyntaxError,
    ExpressionTypeError,
    ExpressionValueError,
    MissingValue,
)
from canvas.domain.expressions.guide import functions_table
from canvas.domain.expressions.program import Program, compile_expression, evaluate_condition
from canvas.domain.expressions.references import Reference
from canvas.domain.expressions.renaming import rename_step, rename_step_in_template, rename_step_in_value
from canvas.domain.expressions.templates import (
    CompiledValue,
    Template,
    ValueReference,
    compile_template,
    compile_value,
    resolve,
    value_references,
)

__all__ = [
    "FUNCTIONS",
    "MACROS",
    "CompiledValue",
    "ExpressionError",
    "ExpressionLimitError",
    "ExpressionSyntaxError",
    "ExpressionTypeError",
    "ExpressionValueError",
    "Function",
    "MissingValue",
    "Program",
    "Reference",
    "Template",
    "ValueReference",
    "compile_expression",
    "compile_template",
    "compile_value",
    "evaluate_condition",
    "functions_table",
    "rename_step",
    "rename_step_in_template",
    "rename_step_in_value",
    "resolve",
    "value_references",
]
