"""Actions that let an AI model write."""

from typing import Any

from pydantic import BaseModel, Field

from canvas.actions.ai_answers import Usage, answered
from canvas.actions.ai_service import OpenAI, service
from canvas.actions.connections import connection_field
from canvas.actions.context import ActionContext
from canvas.actions.registry import Arguments, Text, action
from canvas.domain.states import ActionPermission


class Prompt(Arguments):
    """What a model is asked."""

    connection: str = connection_field("openai", description="The AI service to ask.")
    prompt: Text = Field(min_length=1, max_length=1_000_000, description="What to write, and all it needs to know.")
    system: Text = Field(
        default="",
        max_length=100_000,
        description="How to behave: who it writes as, in which tone and language, and what it must not do.",
    )
    model: str = Field(default="", max_length=200, description="Which model. Empty: the connection's.")
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="0 is sober, 1 is lively. Empty: as the model is set."
    )
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="How long the answer may get; four tokens are about three words.",
    )
    output_schema: dict[str, Any] | None = Field(
        default=None,
        description="A JSON Schema that the answer has to fit: it is then given as values in `data`. An answer that "
        "does not fit is asked for once more; then the step fails.",
        json_schema_extra={"x-widget": "value"},
    )
    timeout_seconds: float = Field(default=120, gt=0, le=3_600, description="How long to wait for each answer.")


class Generated(BaseModel):
    """What the model answered."""

    text: str = Field(description="The answer.")
    data: Any = Field(description="The answer's values when there is an output_schema, else null.")
    model: str = Field(description="The model that answered, as the service calls it.")
    finish_reason: str = Field(description="Why it stopped: stop when it was done, length when it was cut off.")
    is_complete: bool = Field(description="Whether it came to an end and was not cut off by max_tokens.")
    usage: Usage = Field(description="What it cost, in tokens.")


@action(
    "ai/generate",
    title="Write with AI",
    category="AI",
    icon="sparkles",
    idempotent=True,
    permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION),
    security="Prompt and answer leave this machine for the connection's service. Text from outside that stands in the "
    "prompt can make a model answer what its author wants (prompt injection): never let an answer decide alone what is "
    "sent, paid or deleted; ask for an output_schema and check it, or put a person in between.",
    aliases=("GENERATE_CONTENT", "llm", "openai", "prompt"),
    example=Prompt(
        connection="openai",
        system="You write for the customers of a small bakery, in two sentences.",
        prompt="Announce that we are open on Sunday from 8 to 12.",
        temperature=0.7,
    ),
    example_result=Generated(
        text="This Sunday we bake for you, too: come by between 8 and 12.",
        data=None,
        model="gpt-4.1-mini",
        finish_reason="stop",
        is_complete=True,
        usage=Usage(prompt_tokens=42, completion_tokens=18, total_tokens=60, requests=1),
    ),
)
async def generate(args: Prompt, context: ActionContext) -> Generated:
    """Let an AI model write a text, or give values of a form you describe.

    Repeating it costs again and gives another answer, but does no harm. A text that was cut off is given with
    `is_complete` false; values that were cut off, and answers that the model refuses, fail the step.
    """
    config = await context.connection(args.connection, OpenAI)
    async with service(config, context, args.timeout_seconds) as asked:
        answer = await answered(asked, _request(args, config), args.output_schema)
    return Generated(
        text=answer.text,
        data=answer.data,
        model=answer.model,
        finish_reason=answer.finish_reason,
        is_complete=answer.finish_reason != "length",
        usage=answer.usage,
    )


def _request(args: Prompt, config: OpenAI) -> dict[str, Any]:
    messages = [{"role": "system", "content": args.system}] if args.system else []
    request: dict[str, Any] = {
        "model": args.model or config.model,
        "messages": [*messages, {"role": "user", "content": args.prompt}],
    }
    wanted = {"temperature": args.temperature, "max_tokens": args.max_tokens}
    return request | {key: value for key, value in wanted.items() if value is not None}
