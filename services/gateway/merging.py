"""Puts the components of several OpenAPI documents under one set of names. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

PREFIX = "#/components/schemas/"


def references(node: Any) -> Iterator[str]:
    """The names of the schemas that `node` refers to."""
    # In `$ref` or in a discriminator's mapping: whatever begins like this is one.
    if isinstance(node, str) and node.startswith(PREFIX):
        yield node.removeprefix(PREFIX)
    elif isinstance(node, dict):
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def referenced(operations: Mapping[Any, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `schemas` that the operations need, directly or through another."""
    needed: dict[str, Any] = {}
    open_names = {name for operation in operations.values() for name in references(operation)}
    while open_names:
        name = open_names.pop()
        if name in schemas and name not in needed:
            needed[name] = schemas[name]
            open_names |= set(references(schemas[name]))
    return needed


def final_names(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """For each document, its schemas' names in the merged one.

    A name keeps standing where it means the same everywhere; else each document's own gets the document's name before
    it. Two schemas that read alike differ when they refer to ones that differ.
    """
    owners: dict[str, list[Any]] = {}
    for schemas in documents.values():
        for name, content in schemas.items():
            owners.setdefault(name, []).append(content)
    differing = {name for name, contents in owners.items() if any(content != contents[0] for content in contents)}
    while True:
        further = {
            name
            for name, contents in owners.items()
            if name not in differing and len(contents) > 1 and differing.intersection(references(contents[0]))
        }
        if not further:
            break
        differing |= further
    return {
        document: {name: document.capitalize() + name if name in differing else name for name in schemas}
        for document, schemas in documents.items()
    }


def with_names(node: Any, names: Mapping[str, str]) -> Any:
    """A copy of `node` whose references follow `names`."""
    if isinstance(node, dict):
        return {key: with_names(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [with_names(value, names) for value in node]
    if isinstance(node, str) and node.startswith(PREFIX):
        name = node.removeprefix(PREFIX)
        return PREFIX + names.get(name, name)
    return node
