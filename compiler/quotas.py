"""CloudFormation's quotas, checked before anything is uploaded.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.bundle import file_name
from settings.errors import QuotaError

# A template body may be sent inline up to this size; a larger one must come from S3, as nested templates always do.
INLINE_BYTES = 51_200
TEMPLATE_BYTES = 1_048_576
SECTION_ITEMS = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
DESCRIPTION_BYTES = 1_024
TREE_RESOURCES = 2_500
DYNAMIC_REFERENCES = 60


def check_quotas(templates: Mapping[str, Mapping[str, Any]], texts: Mapping[str, str]) -> None:
    """Raise `QuotaError` with every quota that a template or the tree exceeds; `texts` is what will be written."""
    problems = [problem for name in sorted(templates) for problem in _excesses(name, templates[name], texts[name])]
    problems += _too_long_inline(templates, texts)
    total = sum(len(template.get("Resources", {})) for template in templates.values())
    if total > TREE_RESOURCES:
        problems.append(f"the tree has {total} resources; an operation on nested stacks takes at most {TREE_RESOURCES}")
    if problems:
        raise QuotaError(problems, hint="split the tier in two, or shorten its embedded documents")


def _too_long_inline(templates: Mapping[str, Mapping[str, Any]], texts: Mapping[str, str]) -> Iterator[str]:
    """The templates that no other nests are those that a deployment names itself; they go without a bucket."""
    if "root" not in templates:
        return
    nested = {stack.get("Properties", {}).get("TemplateURL") for stack in templates["root"]["Resources"].values()}
    for name in sorted(templates):
        size = len(texts[name].encode())
        if size > INLINE_BYTES and file_name(name) not in nested:
            yield f"{name}: template has {size:,} bytes and is sent inline, at most {INLINE_BYTES:,} are allowed"


def _excesses(name: str, template: Mapping[str, Any], text: str) -> Iterator[str]:
    size = len(text.encode())
    if size > TEMPLATE_BYTES:
        yield f"{name}: template has {size:,} bytes, at most {TEMPLATE_BYTES:,} are allowed"
    for section, limit in SECTION_ITEMS.items():
        if (count := len(template.get(section, {}))) > limit:
            yield f"{name}: {count} {section}, at most {limit} are allowed"
    if len(str(template.get("Description", "")).encode()) > DESCRIPTION_BYTES:
        yield f"{name}: Description is longer than {DESCRIPTION_BYTES:,} bytes"
    if (count := text.count("{{resolve:")) > DYNAMIC_REFERENCES:
        yield f"{name}: {count} dynamic references, at most {DYNAMIC_REFERENCES} are allowed"
