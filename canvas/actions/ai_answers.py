"""Answers of AI models: what they cost, whether they are complete, and whether they have the form asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson
from pydantic import BaseModel, Field

from canvas.actions.ai_service import AIFailed, Service, schema_in_words
from canvas.domain.json_schemas import validator

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


class Usage(BaseModel):
    """What an answer cost, in the service's own units."""

    prompt_tokens: int = Field(default=0, description="What was sent, repairs included.")
    completion_tokens: int = Field(default=0, description="What was answered, repairs included.")
    total_tokens: int = Field(default=0, description="Both.")
    requests: int = Field(
        default=0, description="How often the service was asked: 2 when an answer had to be repaired."
    )


class AnswerRefused(AIFailed):
    """The model or its service refused to answer this."""

    code = "ai_refused"


class AnswerCutOff(AIFailed):
    """The answer was cut off before it was complete."""

    code = "ai_cut_off"


class AnswerMismatch(AIFailed):
    """The answer does not have the form that was asked for, also after it was asked for again."""

    code = "ai_mismatch"


@dataclass(slots=True)
class Answer:
    """What a model said."""

    text: str
    data: Any
    "The value of the answer when a form was asked for."
    model: str
    finish_reason: str
    usage: Usage


async def answered(service: Service, request: Mapping[str, Any], schema: Mapping[str, Any] | None) -> Answer:
    """Let a model answer, in the form of a JSON Schema if there is one: checked here, and asked for once more if wrong.

    Raises:
        AnswerRefused: The model or a filter of the service refused.
        AnswerCutOff: It ran out of tokens where that makes the answer useless.
        AnswerMismatch: The second answer does not fit the schema either.
        AIFailed: The schema is none, or the service failed otherwise.
    """
    usage = Usage()
    if schema is None:
        return _read(await service.complete(request), usage, is_whole=False)
    form = _form(schema)
    asked = {**request, "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}
    answer = _read(await service.complete(asked), usage, is_whole=True)
    fault = _fault(answer, form)
    if fault:
        again = [
            {"role": "assistant", "content": answer.text},
            {"role": "user", "content": f"That does not fit: {fault}. {schema_in_words(schema)}"},
        ]
        asked["messages"] = [*request["messages"], *again]
        answer = _read(await service.complete(asked), usage, is_whole=True)
        fault = _fault(answer, form)
    if fault:
        raise AnswerMismatch(
            f"The answer does not fit output_schema, asked for twice: {fault}.",
            retryable=True,
            answer=answer.text[:500],
            usage=usage.model_dump(),
        )
    return answer


def _form(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    try:
        return validator(schema)
    except (ValueError, TypeError) as error:
        raise AIFailed(f"output_schema is no JSON Schema: {str(error).splitlines()[0][:300]}.") from None


def _read(completion: "ChatCompletion", usage: Usage, *, is_whole: bool) -> Answer:
    _add(usage, completion)
    choice: Any = completion.choices[0]  # not every service fills it as the library believes
    message = choice.message
    text = (message and message.content) or ""
    refusal = message and message.refusal
    reason = str(choice.finish_reason or "")
    if refusal or reason == "content_filter":
        told = f"The model refused to answer: {refusal[:300]}" if refusal else "A filter held the answer back."
        raise AnswerRefused(told, usage=usage.model_dump())
    if reason == "length" and (is_whole or not text):
        raise AnswerCutOff("The answer was cut off; allow more max_tokens, or ask for less.", usage=usage.model_dump())
    if not text:
        raise AIFailed("The model answered nothing.", retryable=True, usage=usage.model_dump())
    return Answer(text, None, completion.model or "", reason, usage)


def _add(usage: Usage, completion: "ChatCompletion") -> None:
    usage.requests += 1
    if completion.usage is not None:
        usage.prompt_tokens += completion.usage.prompt_tokens or 0
        usage.completion_tokens += completion.usage.completion_tokens or 0
        usage.total_tokens += completion.usage.total_tokens or 0


def _fault(answer: Answer, form: jsonschema_rs.Validator) -> str:
    """Read the answer's value; says what is wrong with it, or nothing."""
    fenced = _FENCE.match(answer.text)
    try:
        answer.data = orjson.loads(fenced.group(1) if fenced else answer.text)
    except orjson.JSONDecodeError as error:
        return f"it is no JSON ({error.msg}, column {error.colno})"
    first = next(iter(form.iter_errors(answer.data)), None)
    if first is None:
        return ""
    return f"{'/'.join(map(str, first.instance_path)) or 'the value'}: {first.message[:300]}"
