#!/usr/bin/env python3
"""Makes schemas.json from OpenAI's OpenAPI document: extract.py openapi.json > schemas.json

Keeps the component schemas that the requests and answers of the simulator reach, without what only people read, and
repairs what a JSON Schema validator (2020-12) would misread. README.md tells of each repair.
"""

import json
import sys

ROOTS = [
    # What the simulator receives,
    "CreateResponse",
    "CreateChatCompletionRequest",
    # and what its tests hold its answers against.
    "Response",
    "ResponseCreatedEvent",
    "ResponseInProgressEvent",
    "ResponseOutputItemAddedEvent",
    "ResponseContentPartAddedEvent",
    "ResponseTextDeltaEvent",
    "ResponseTextDoneEvent",
    "ResponseRefusalDeltaEvent",
    "ResponseRefusalDoneEvent",
    "ResponseContentPartDoneEvent",
    "ResponseOutputItemDoneEvent",
    "ResponseCompletedEvent",
    "ResponseIncompleteEvent",
    "ResponseFailedEvent",
    "CreateChatCompletionResponse",
    "CreateChatCompletionStreamResponse",
    "ListModelsResponse",
    "ErrorResponse",
]
COMPONENTS = "#/components/schemas/"
DEFINITIONS = "#/$defs/"
# For people and for generators of code. `discriminator` only hints at what `oneOf` says already.
UNREAD = {"title", "description", "example", "examples", "default", "deprecated", "discriminator", "externalDocs"}
NAMED = {"properties", "patternProperties", "$defs"}
LISTED = {"allOf", "anyOf", "oneOf", "prefixItems"}
NESTED = {"items", "additionalProperties", "propertyNames", "not", "contains"}
# A choice whose branches overlap: a message with a list of contents fits two of them.
AMBIGUOUS = {"InputItem"}
# Members that the document requires and whose default it tells in the same breath.
DEFAULTED = {"InputImageContent": {"detail"}}


def cleaned(schema, name):
    """The schema (of the component `name`, or within it) as 2020-12 reads it."""
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key in UNREAD or key.startswith("x-") or key in ("nullable", "$recursiveAnchor"):
            continue
        if key == "$recursiveRef":
            result["$ref"] = DEFINITIONS + name
        elif key == "$ref":
            result["$ref"] = DEFINITIONS + value.removeprefix(COMPONENTS)
        elif key == "required":
            result["required"] = sorted(set(value))
        elif key in NAMED:
            result[key] = {member: cleaned(inner, name) for member, inner in value.items()}
        elif key in LISTED:
            result[key] = [cleaned(inner, name) for inner in value]
        elif key in NESTED:
            result[key] = cleaned(value, name)
        else:
            result[key] = value
    return {"anyOf": [result, {"type": "null"}]} if schema.get("nullable") else result


def references(schema):
    """The names of the definitions that a cleaned schema refers to."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.removeprefix(DEFINITIONS)
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for inner in schema:
            yield from references(inner)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    components = document["components"]["schemas"]
    definitions = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in definitions:
            continue
        definition = cleaned(components[name], name)
        if name in AMBIGUOUS:
            definition["anyOf"] = definition.pop("oneOf")
        if name in DEFAULTED:
            definition["required"] = [member for member in definition["required"] if member not in DEFAULTED[name]]
        definitions[name] = definition
        waiting.extend(references(definition))
    # A line for each definition, so that a later version can be compared.
    lines = (f"{json.dumps(name)}: {json.dumps(definitions[name], sort_keys=True)}" for name in sorted(definitions))
    print('{"$defs": {\n' + ",\n".join(lines) + "\n}}")


main()
