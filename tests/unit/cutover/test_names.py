"""Names of roles, and names as SQL."""

from __future__ import annotations

import pytest

from cutover.names import literal, quote, roles_of
from validator.errors import UsageError


def test_roles_of_a_system() -> None:
    roles = roles_of("payments")
    assert roles.signing_in == ("payments_application", "payments_dms", "payments_validator", "payments_cutover")
    assert roles.writer == "payments_writer"


@pytest.mark.parametrize("system", ["", "Payments", "1st", "a-b", "a;b", "x" * 51])
def test_no_name_of_a_system(system: str) -> None:
    with pytest.raises(UsageError, match="is no name of a system"):
        roles_of(system)


def test_names_and_texts_as_sql() -> None:
    assert quote('my "odd" name') == '"my ""odd"" name"'
    assert literal("it's") == "'it''s'"
