"""Read the text of a deployed template, which need not be one that we wrote."""

from __future__ import annotations

import json
from typing import Any

from deployer.errors import StackStateError


def read_template(body: Any, subject: str) -> dict[str, Any]:
    """A template as data: boto3 has decoded JSON already, YAML it leaves as text. `subject` is for the message."""
    data = body if isinstance(body, dict) else _decode(str(body), subject)
    if not isinstance(data, dict):
        raise StackStateError(f"{subject}: its template is no mapping", hint="see: aws cloudformation get-template")
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]  # plain dicts, where boto3 made OrderedDicts


def _decode(text: str, subject: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    import yaml  # a stack that another tool deployed; ours are JSON

    class Loader(yaml.SafeLoader):
        """YAML with CloudFormation's short forms, and without dates: `2010-09-09` is a text."""

        yaml_implicit_resolvers = {  # noqa: RUF012  # the base class's own form
            first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    def short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
        """`!Ref x` → {"Ref": x}, `!GetAtt a.b` → {"Fn::GetAtt": ["a", "b"]}, `!Join […]` → {"Fn::Join": […]}."""
        if isinstance(node, yaml.ScalarNode):
            value: Any = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third kind there is
        if suffix == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}

    Loader.add_multi_constructor("!", short_form)
    try:
        return yaml.load(text, Loader)  # noqa: S506  # a SafeLoader with more tags
    except yaml.YAMLError as error:
        raise StackStateError(f"{subject}: its template cannot be read: {error}") from error
