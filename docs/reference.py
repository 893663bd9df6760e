"""Writes what can be looked up, from the code: `python -m docs.reference` refreshes the four pages.

`actions.md`, `settings.md`, `cli.md` and `api.md` are never edited by hand; a test fails when one is not up to date.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import click

import canvas.settings
from canvas.actions.registry import registry
from canvas.api.app import create_api
from canvas.cli import canvas as command_line
from canvas.domain.catalog import ActionSpec
from canvas.domain.control_flow import control_flow
from canvas.domain.schema_fields import SchemaField
from canvas.domain.states import ActionOrigin
from canvas.services.views import ActionDetail, described
from canvas.settings import PREFIX, Settings

FOLDER = Path(__file__).parent
NOTE = "<!-- written from the code; `python -m docs.reference` refreshes it -->\n"


def pages() -> dict[Path, str]:
    """Give the text of every page by its file."""
    return {
        FOLDER / "actions.md": actions_page(),
        FOLDER / "settings.md": settings_page(),
        FOLDER / "cli.md": cli_page(),
        FOLDER / "api.md": api_page(),
    }


def actions_page() -> str:
    """Describe every action that comes with Canvas, and the step types beside them, by category."""
    parts = ["# Actions\n", NOTE, "What an `action` step can call. Each argument may be a value or a template.\n"]
    own = [action.spec for action in registry().values() if action.spec.origin is ActionOrigin.BUILTIN]
    groups: dict[str, list[ActionSpec]] = {}
    for spec in (*own, *control_flow().values()):
        groups.setdefault(spec.category, []).append(spec)
    for category, specs in sorted(groups.items()):
        parts += [f"## {category}\n", *map(_action, specs)]
    return "\n".join(parts)


def settings_page() -> str:
    """Describe every setting."""
    rows = [f"| `{PREFIX}{name.upper()}` | {default} | {text} |" for name, default, text in _settings()]
    head = ["# Settings\n", NOTE, "Read from the environment when a process starts.\n"]
    return "\n".join([*head, "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def cli_page() -> str:
    """Describe every command."""
    parts = ["# The command line\n", NOTE, inspect.cleandoc(command_line.help or ""), ""]
    for path, command in _commands(command_line, ("canvas",)):
        context = click.Context(command, info_name=" ".join(path), terminal_width=100)
        text = command.get_help(context).replace("\b", "")
        parts.append(f"## `{' '.join(path)}`\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def api_page() -> str:
    """Describe every route of the API."""
    found = create_api(Settings()).openapi()
    parts = ["# The HTTP API\n", NOTE]
    parts.append(
        "Under `/api`; the whole of it as OpenAPI at `/api/openapi.json`, as a page at `/api/docs`. Errors are problem "
        "documents (RFC 9457) with a stable `code`. Lists page by `cursor`. A start takes an `Idempotency-Key`.\n"
    )
    groups: dict[str, list[str]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            row = f"| `{method.upper()} {path}` | {_first_line(operation['description'])} | {_arguments(operation)} |"
            groups.setdefault(operation["tags"][0], []).append(row)
    for name, rows in groups.items():
        parts.append(
            "\n".join([f"## {name.capitalize()}\n", "| call | what it does | arguments |", "|---|---|---|", *rows, ""])
        )
    return "\n".join(parts)


def _action(spec: ActionSpec) -> str:
    detail = described(spec)
    return "\n".join(
        [
            f"### `{detail.name}`: {detail.title}\n",
            f"{spec.description}\n",
            "| | |",
            "|---|---|",
            *(f"| {word} | {text} |" for word, text in _facts(detail).items() if text),
            "",
            *_table("argument", detail.arguments),
            *_table("result", detail.result),
            f"```yaml\n{detail.example.strip()}\n```\n",
        ]
    )


def _facts(detail: ActionDetail) -> dict[str, str]:
    return {
        "may touch": ", ".join(detail.permissions) or "nothing: it only computes",
        "connections": ", ".join(f"`{kind}`" for kind in detail.connections),
        "idempotent": detail.repetition,
        "dry run": detail.dry_run,
        "security": detail.security,
        "also called": ", ".join(f"`{alias}`" for alias in detail.aliases),
        "version": str(detail.version),
    }


def _table(name: str, fields: list[SchemaField]) -> Iterator[str]:
    yield f"| {name} | type | default | meaning |"
    yield "|---|---|---|---|"
    for field in fields:
        default = "required" if field.is_required else f"`{field.default}`" if field.default else ""
        kind = field.type.replace("|", "\\|")
        yield f"| `{field.path}` | {kind} | {default} | {' '.join(filter(None, (field.description, _limits(field))))} |"
    yield ""


def _limits(field: SchemaField) -> str:
    return f"({field.limits.replace('|', chr(92) + '|')})" if field.limits else ""


def _settings() -> Iterator[tuple[str, str, str]]:
    """Read each setting's default from the class and its meaning from the string below it in the source."""
    body = ast.parse(inspect.getsource(canvas.settings)).body
    settings = next(node for node in body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    meanings = {}
    for field, text in zip(settings.body, settings.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            meanings[ast.unparse(field.target)] = str(text.value.value)
    for field in fields(Settings):
        default = "`.canvas`" if field.default is MISSING else f"`{field.default}`" if field.default != "" else ""
        yield field.name, default, meanings[field.name]


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


def _arguments(operation: dict[str, Any]) -> str:
    named = [f"`{p['name']}`" for p in operation.get("parameters", ()) if p["in"] != "path"]
    content = operation.get("requestBody", {}).get("content", {})
    for kind, body in content.items():
        schema = str(body["schema"].get("$ref", "")).rpartition("/")[2]
        named.append(f"body: {schema or kind}")
    return ", ".join(named)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


if __name__ == "__main__":
    for file, text in pages().items():
        file.write_text(text, "utf-8")
