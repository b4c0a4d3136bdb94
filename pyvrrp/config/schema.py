"""The JSON Schema of node.yaml, for editors and for whoever writes such files with a program."""

from __future__ import annotations

import json
from typing import Any, Final

from pyvrrp.config.model.checks import MODELS
from pyvrrp.config.model.node import NodeFile

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """The schema as the text of a file."""
    schema = {"$schema": _DIALECT, **_tidy(NodeFile.model_json_schema()), "title": "node.yaml of pyvrrp"}
    for model in set(MODELS.values()):
        types = [kind for kind, each in MODELS.items() if each is model]
        schema["$defs"][model.__name__]["properties"]["type"]["enum"] = types
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    """Without what pydantic adds and no reader needs: titles made from names, null for a key that may be left out."""
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(each) for key, each in value.items() if not _noise(key, each)}
    choices = kept.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        kept["anyOf"] = [each for each in choices if each != {"type": "null"}]
        if len(kept["anyOf"]) == 1:
            kept |= kept.pop("anyOf")[0]
    return kept


def _noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)
