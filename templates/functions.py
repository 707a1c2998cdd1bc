"""Lambda functions as the tiers that have some declare them."""

from __future__ import annotations

from typing import Any, ClassVar

from troposphere import awslambda


class PackagedFunction(awslambda.Function):  # type: ignore[misc]  # troposphere has no types
    """A function whose code is a path, which packaging replaces by a place in S3."""

    props: ClassVar[dict[str, Any]] = {**awslambda.Function.props, "Code": (str, True)}


class FunctionLogging(awslambda.LoggingConfig):  # type: ignore[misc]  # troposphere has no types
    """Troposphere 4.11 takes another type's LoggingConfig, which has no format, for that of functions."""

    props: ClassVar[dict[str, Any]] = {**awslambda.LoggingConfig.props, "LogFormat": (str, False)}
