"""The API as an OpenAPI 3.1 document, made of the table of operations and of their models.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from pydantic import BaseModel
from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    models_json_schema,
)
from pydantic_core import core_schema

from server.access import Role
from server.api.answers import JSON, Failure
from server.api.operation import Operation, Success

_REFERENCE = "#/components/schemas/{model}"

_ALWAYS = {
    "401": "The token is missing, wrong, or for something else",
    "406": "Nothing of what is accepted can be answered",
    "500": "The server failed",
    "501": "The transcript is of a newer version than the server",
    "503": "The server starts, stops, or has too much to do: `Retry-After` says when to come again",
}
_FORBIDDEN = {"403": "The token does not allow that, or the web page is a foreign one"}
_ONE = {"404": "There is no such transcript, or nothing of that name in it"}
_WRITING = {"409": "The transcript is being written to from elsewhere, or is full"}
_QUERY = {"422": "A parameter is unknown, or has a value that is not allowed"}
_BODY = {
    "400": "The body is no JSON",
    "408": "The body did not arrive in time",
    "413": "The body is too long",
    "415": "The body is of another type",
    "422": "A field is missing or unknown, or has a value that is not allowed",
}
_PARTIAL = {"416": "The file has no such bytes"}

_FILE = {
    "400": "The client is gone",
    "408": "The file did not go on in time",
    "413": "The file is too large, or the recording too long",
    "415": "The file is no recording that can be decoded",
    "507": "There is no room on the disk",
}
_KEYS = {"422": "A parameter or header is not allowed, or a key was used for something else"}

_ANY_FILE = ("application/octet-stream", "audio/*", "video/*")

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any name for this request: who sends it again under the same name, has it "
    "carried out once",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}

_PATHS = {
    "job": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,128}$"},
    "transcript": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,128}$"},
    "link": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}


class _Schemas(GenerateJsonSchema):
    """JSON Schemas in which a field that may be left out is not said to be null."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def describe(operations: Sequence[Operation]) -> bytes:
    """Return the document, in UTF-8."""
    paths: dict[str, dict[str, object]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    document = {
        "openapi": "3.1.1",
        "info": {
            "title": "Trax",
            "version": version("trax-server"),
            "description": "Transcripts that are written while people speak. Speech itself comes "
            "over `/v1/stream`, and edits over `/v1/transcripts/{transcript}/sync`: WebSockets.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"query": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(_models(operations)),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _operation(each: Operation) -> dict[str, object]:
    """Describe one method of one path."""
    names = [name for name in _PATHS if f"{{{name}}}" in each.path]
    found: dict[str, object] = {
        "operationId": each.name,
        "summary": each.summary,
        "description": f"For the role `{each.role}`"
        + (", and those that may do more." if each.role is not Role.OWNER else "."),
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": _PATHS[name]}
                for name in names
            ),
            *_parameters(each),
            *([IDEMPOTENCY_KEY] if each.repeatable else []),
        ],
        "responses": {str(good.status): _success(good) for good in each.successes}
        | {status: _failure(why) for status, why in _failures(each).items()},
    }
    if each.sends_file:
        content: dict[str, object] = {kind: {"schema": {}} for kind in _ANY_FILE}
        found["requestBody"] = {"required": True, "content": content}
    if each.body is not None:
        found["requestBody"] = {"required": True, "content": {JSON: _reference(each.body)}}
    return found


def _parameters(each: Operation) -> Iterable[dict[str, object]]:
    schema = each.query.model_json_schema(schema_generator=_Schemas)
    for name, about in schema.get("properties", {}).items():
        definition = about
        if "$ref" in about:
            definition = schema["$defs"][about["$ref"].rpartition("/")[2]]
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "description": about.get("description", ""),
            "schema": definition,
        }


def _failures(each: Operation) -> dict[str, str]:
    found = dict(_ALWAYS | _QUERY)
    if "{" in each.path:
        found |= _ONE | _FORBIDDEN | _WRITING
    if each.method != "GET":
        found |= _FORBIDDEN | _WRITING
    if each.body is not None:
        found |= _BODY
    if each.sends_file:
        found |= _FILE
    if each.repeatable:
        found |= _KEYS
    if any(good.status == 206 for good in each.successes):
        found |= _PARTIAL
    return dict(sorted(found.items()))


def _success(good: Success) -> dict[str, object]:
    schema = {} if good.model is None else _reference(good.model)
    content = dict.fromkeys(good.media_types, schema)
    return {"description": good.description} | ({"content": content} if content else {})


def _failure(why: str) -> dict[str, object]:
    return {"description": why, "content": {JSON: _reference(Failure)}}


def _reference(model: type[BaseModel]) -> dict[str, object]:
    return {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}


def _models(operations: Iterable[Operation]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    """Return every model of a body, as it is read, and of an answer, as it is written."""
    found: dict[type[BaseModel], JsonSchemaMode] = {Failure: "serialization"}
    for each in operations:
        if each.body is not None:
            found[each.body] = "validation"
        for good in each.successes:
            if good.model is not None:
                found[good.model] = "serialization"
    return list(found.items())


def _schemas(models: list[tuple[type[BaseModel], JsonSchemaMode]]) -> object:
    _, schema = models_json_schema(models, ref_template=_REFERENCE, schema_generator=_Schemas)
    return schema["$defs"]
