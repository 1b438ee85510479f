"""What GitHub's published description allows: which requests there are, and which answers.

An answer is given by the few fields that a test may look at; the others that the description requires are filled in,
and the whole is checked.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from openapi_schema_validator import OAS30Validator

from logcache_tests.servers.github.openapi.extract import EXTRACT

_SLASHED = frozenset({"ref", "branch", "basehead"})
"""Parameters of a path that may have slashes."""
_EXAMPLES = {"date-time": "2018-01-01T00:00:00Z", "uri": "https://github.invalid/filled-in", "email": "a@b.invalid"}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One endpoint."""

    verb: str
    path: str
    """With `{parameters}`."""

    @property
    def _described(self) -> dict[str, Any]:
        found: dict[str, Any] = description()["paths"][self.path][self.verb.lower()]
        return found

    def complaints(self, query: Mapping[str, str], body: object) -> list[str]:
        """What a request has that the description has not, or lacks."""
        parameters = [resolved(parameter) for parameter in self._described.get("parameters", [])]
        known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
        unknown = [f"{name} is not a permitted parameter." for name in query if name not in known]
        wrong = [
            f"{name} is not {value!r}"
            for name, value in query.items()
            if name in known and value not in map(str, resolved(known[name]["schema"]).get("enum", [value]))
        ]
        return [*unknown, *wrong, *self._complaints_of(body)]

    def _complaints_of(self, body: object) -> Iterator[str]:
        described = self._described.get("requestBody")
        if described is None:
            if body is not None:
                yield "a body is not permitted."
            return
        if body is None:
            if described["required"]:
                yield "a body is missing."
            return
        schema = described["content"]["application/json"]["schema"]
        yield from errors_in(body, _closed(schema))

    def completed(self, status: int, answer: object) -> object:
        """The answer with every field that the description requires; raises AssertionError if it does not fit."""
        responses = self._described["responses"]
        assert str(status) in responses, f"{self.verb} {self.path} has no answer {status}"
        content = resolved(responses[str(status)]).get("content", {})
        if "application/json" not in content:
            return answer
        schema = content["application/json"]["schema"]
        whole = filled(schema, answer)
        assert not (errors := list(errors_in(whole, schema))), f"{self.verb} {self.path}: {errors}"
        return whole


@cache
def description() -> dict[str, Any]:
    """The description of the stand-in's endpoints."""
    found: dict[str, Any] = json.loads(EXTRACT.read_text(encoding="utf-8"))
    return found


@cache
def _routes() -> tuple[tuple[re.Pattern[str], Operation], ...]:
    """Endpoints by the pattern of their path, those with more fixed parts first."""
    operations = [
        Operation(verb=verb.upper(), path=path) for path, verbs in description()["paths"].items() for verb in verbs
    ]
    operations.sort(key=lambda operation: -len(re.sub(r"\{\w+\}", "", operation.path)))
    return tuple((re.compile(f"{operation.verb} {_pattern(operation.path)}"), operation) for operation in operations)


def _pattern(path: str) -> str:
    def named(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{'.+' if match[1] in _SLASHED else '[^/]+'})"

    return re.sub(r"\\\{(\w+)\\\}", named, re.escape(path))


def find_operation(verb: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The endpoint of a request, and the parameters in its path."""
    for pattern, operation in _routes():
        if found := pattern.fullmatch(f"{verb} {path}"):
            return operation, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def resolved(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """A part of the description, or what it refers to."""
    while isinstance(part, dict) and "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = description()["components"][kind][name]
    return part


def errors_in(value: object, schema: Mapping[str, Any]) -> Iterator[str]:
    """What of a value does not fit a schema."""
    validator = OAS30Validator({**schema, "components": description()["components"]})
    for error in validator.iter_errors(value):
        yield f"{'.'.join(map(str, error.absolute_path)) or 'it'}: {error.message[:300]}"


def _closed(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """A schema of a request that allows no field which it does not name."""
    schema = copy.deepcopy(resolved(schema))
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
            schema["properties"] = {name: _closed(part) for name, part in schema["properties"].items()}
        for group in ("oneOf", "anyOf", "allOf"):
            if group in schema:
                schema[group] = [_closed(part) for part in schema[group]]
        if "items" in schema:
            schema["items"] = _closed(schema["items"])
    return schema


def filled(schema: Any, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value with the fields that a schema requires and it lacks."""
    schema = _one(schema)
    if isinstance(value, list):
        return [filled(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    own = {name: filled(properties.get(name, {}), part) for name, part in value.items()}
    missing = [name for name in schema.get("required", ()) if name not in own]
    return own | {name: _invented(properties.get(name, {})) for name in missing}


def _one(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """A schema without references, and of several the first; of `allOf` all together."""
    schema = resolved(schema)
    if "allOf" in schema:
        parts = [_one(part) for part in schema["allOf"]]
        merged: dict[str, Any] = {"properties": {}, "required": []}
        for part in parts:
            merged = {**merged, **part, "properties": {**merged["properties"], **part.get("properties", {})}}
        return {**{k: v for k, v in schema.items() if k != "allOf"}, **merged}
    for group in ("oneOf", "anyOf"):
        if group in schema:
            return {**{k: v for k, v in schema.items() if k != group}, **_one(schema[group][0])}
    return schema


def _invented(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Some value that fits a schema."""
    schema = _one(schema)
    if schema.get("nullable"):
        return None
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "string":
        return _EXAMPLES.get(schema.get("format", ""), "filled-in")
    if kind == "object":
        return filled(schema, {})
    return {"integer": 1, "number": 1, "boolean": False, "array": []}[kind]
