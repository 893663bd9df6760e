"""Who may do what: the one permission check, asked by every route and every event handler."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from canvas.domain.errors import Forbidden
from canvas.domain.states import Role as Role  # everybody else asks for it here


class Permission(StrEnum):
    """What a page or a call needs."""

    VIEW = "view"
    "Read workflows, runs, triggers and their outputs."
    RUN = "run"
    "Start, cancel, pause and resume runs; switch triggers on and off; work off tasks and decide on proposals."
    EDIT = "edit"
    "Change, publish, import and delete workflows and triggers."
    ADMINISTER = "administer"
    "Change what holds for everybody."


_RANK: Final = {role: rank for rank, role in enumerate(Role)}
_NEEDED: Final = {
    Permission.VIEW: Role.VIEWER,
    Permission.RUN: Role.OPERATOR,
    Permission.EDIT: Role.EDITOR,
    Permission.ADMINISTER: Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a person or a program."""

    name: str
    role: Role


def local_actor() -> Actor:
    """Name whoever comes over the loopback: the user of this machine, who owns the installation."""
    return Actor("local", Role.ADMIN)


def allows(actor: Actor, permission: Permission) -> bool:
    """Tell whether the actor's role allows something."""
    return _RANK[actor.role] >= _RANK[_NEEDED[permission]]


def require(actor: Actor, permission: Permission) -> None:
    """Refuse what the actor's role does not allow.

    Raises:
        Forbidden: The role is too low; names the one that is needed.
    """
    if not allows(actor, permission):
        raise Forbidden(f"This needs the role {_NEEDED[permission]}; you are {actor.role}.", permission=permission)
