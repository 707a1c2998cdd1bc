"""Forms that several settings share: what a value looks like, and how a message says it."""

from __future__ import annotations

from settings.fields import Matches, OneOf

HOST_NAME = Matches(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    "a DNS name or IPv4 address in lower case",
)
IDENTIFIER = Matches(r"[a-z_][a-z0-9_]{0,62}", "a PostgreSQL identifier: lower case, digits, _, at most 63 characters")
TAG_VALUE = Matches(r"[A-Za-z0-9 _.:/=+@-]{1,256}", "1 to 256 letters, digits, spaces and _.:/=+@-")
URL_PATH = Matches(r"/[A-Za-z0-9/_.-]*", "a path like /actuator/health")
VERSION = Matches(r"[0-9]+(\.[0-9]+)+", "a full version like 17.7, in quotes")
_DAY, _TIME = "(mon|tue|wed|thu|fri|sat|sun)", r"([01]\d|2[0-3]):[0-5]\d"
WINDOW_DAY = Matches(
    rf"{_DAY}:{_TIME}-{_DAY}:{_TIME}",
    "a weekly window in UTC like sun:04:00-sun:05:00",
)
WINDOW_HOUR = Matches(rf"{_TIME}-{_TIME}", "a daily window in UTC like 02:00-03:00")
# CloudWatch Logs accepts these numbers of days only; PCI DSS 10.5.1 asks for twelve months: the shorter are left out.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = OneOf((365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653))
