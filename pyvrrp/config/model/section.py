"""What all sections of a configuration have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from pyvrrp.config.values import CommandLine, Flag, Kind, Name, Whole, Word


class Section(BaseModel):
    """Base of all models: unknown keys are errors, and no error carries what the file says (it may be a password)."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, use_attribute_docstrings=False
    )


@dataclass(frozen=True, slots=True)
class Either:
    """For the JSON Schema: the validator before this one also takes another form."""

    other: Kind

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [self.other.schema, handler(core)]}


# --- commands --------------------------------------------------------------------------------------------------------


class Script(Section):
    """A program to run."""

    script: Annotated[tuple[str, ...], CommandLine()] = Field(
        description="The program and its arguments, quoted as in a shell. No shell runs.",
        examples=["/usr/local/bin/notify.sh"],
    )
    user: Annotated[str | None, Name()] = Field(
        default=None, description="Who runs it: script_user where none is named."
    )
    group: Annotated[str | None, Name()] = Field(default=None, description="The group; the user's own by default.")


def _as_script(value: object) -> object:
    return {"script": value} if isinstance(value, Word) else value


Command = Annotated[Script, BeforeValidator(_as_script), Either(CommandLine())]


class Notifying(Section):
    """Whom an instance or a group tells of its transitions."""

    notify: Command | None = Field(
        default=None, description="Run at each transition, with INSTANCE or GROUP, name, state and priority added."
    )
    notify_master: Command | None = Field(default=None, description="Run on becoming MASTER.")
    notify_backup: Command | None = Field(default=None, description="Run on becoming BACKUP.")
    notify_fault: Command | None = Field(default=None, description="Run on entering FAULT.")
    notify_stop: Command | None = Field(default=None, description="Run when the daemon ends.")
    notify_deleted: Command | None = Field(default=None, description="Run when a reload takes it away.")
    notify_master_rx_lower_pri: Command | None = Field(
        default=None, description="Run when a MASTER hears one with a lower priority."
    )
    notify_priority_changes: Annotated[bool, Flag()] = Field(
        default=False, description="Tell of changes of the priority, too."
    )
    smtp_alert: Annotated[bool, Flag()] = Field(default=False, description="Send a mail at each transition.")


# --- tracking --------------------------------------------------------------------------------------------------------


class TrackOptions(Section):
    """How a check's result acts on an instance."""

    weight: Annotated[int, Whole(-254, 254)] = Field(
        default=0,
        description="0: the instance is in FAULT while the check fails. Negative: added to the priority while it "
        "fails. Positive: added while it passes.",
    )
    reverse: Annotated[bool, Flag()] = Field(default=False, description="The other way round.")


def _as_list(value: object) -> object:
    """A mapping stands for a list with that mapping in it."""
    return [value] if isinstance(value, dict) else value


def _as_options(value: object) -> object:
    """A check's name alone stands for that name without options."""
    return {value: {}} if isinstance(value, Word) and value else value


TrackedCheck = Annotated[dict[Annotated[str, Name()], TrackOptions], Field(min_length=1), BeforeValidator(_as_options)]


@dataclass(frozen=True, slots=True)
class _TrackedChecksSchema:
    """The short forms that the validators accept, for the JSON Schema."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        weighted = handler(core)["items"]
        return {"anyOf": [{"type": "array", "items": {"anyOf": [Name().schema, weighted]}}, weighted]}


TrackedChecks = Annotated[list[TrackedCheck], BeforeValidator(_as_list), _TrackedChecksSchema()]
