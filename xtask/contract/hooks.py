"""What Schemathesis cannot read in openapi.yaml, said in its own terms, and a count of what it was answered.

OpenAPI 3.0 has no place for three things that the contract says in words and extensions. They are written into the copy
that Schemathesis reads; the file itself stays as it is.
"""

import atexit
import collections
import json
import os

import schemathesis
from schemathesis.specs.openapi import stateful

ANSWERS = collections.defaultdict(collections.Counter)


# A chain of requests may begin with each that creates something or lists what is there. Left alone, Schemathesis begins
# with none that has a `session_id` or `client_id` among its options, which it takes for a reference to what must exist.
stateful.is_likely_root_transition = lambda operation, _node, _produced: not operation.path_parameters


@schemathesis.hook
def before_load_schema(_context, document):
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                as_servers_read(document, resolve(document, parameter)["schema"], set())
            for media in content(document, operation.get("requestBody", {})):
                as_servers_read(document, media["schema"], set())
                if not resolve(document, media["schema"]).get("required"):
                    media["schema"] = nullable(media["schema"])
            for response in operation["responses"].values():
                for media in content(document, response):
                    describe_events(media)


@schemathesis.hook
def after_call(_context, case, response):
    ANSWERS[f"{case.method.upper()} {case.operation.path}"][response.status_code] += 1


@atexit.register
def report_answers():
    """Writes {"POST /run": {"200": 7, …}, …} to the file that the task names."""
    if path := os.environ.get("CONTRACT_ANSWERS"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(ANSWERS, file)


def content(document, value):
    return resolve(document, value).get("content", {}).values()


def resolve(document, value):
    while "$ref" in value:
        target = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        value = target
    return value


def as_servers_read(document, schema, seen):
    """Servers take null for an absent member, an empty element or a body without members, and numbers of 64 bits.

    The first is said in the contract's introduction. The second is why `int32` is no bound: it is the type that clients
    of ours use, not what is refused.
    """
    schema = resolve(document, schema)
    if id(schema) in seen:
        return
    seen.add(id(schema))
    if schema.get("format") == "int32":
        schema["format"] = "int64"
    for part in schema.get("allOf", []):
        as_servers_read(document, part, seen)
    required = schema.get("required", [])
    members = schema.get("properties", {})
    for name, member in members.items():
        as_servers_read(document, member, seen)
        if name not in required:
            members[name] = nullable(member)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            as_servers_read(document, schema[key], seen)
            schema[key] = nullable(schema[key])


def nullable(schema):
    return {"allOf": [schema], "nullable": True} if "$ref" in schema else {**schema, "nullable": True}


def describe_events(media):
    """A stream is a string to OpenAPI 3.0, while Schemathesis checks each event, of which `x-sse-events` tells."""
    if events := media.get("x-sse-events"):
        media["schema"] = {"anyOf": [event(name, data) for name, data in events.items()]}


def event(name, data):
    text = {"type": "string"}
    if data != "text":
        text |= {"contentMediaType": "application/json", "contentSchema": data}
    return {
        "type": "object",
        "properties": {"event": {"type": "string", "enum": [name]}, "data": text},
        "required": ["event", "data"],
        "additionalProperties": False,
    }
