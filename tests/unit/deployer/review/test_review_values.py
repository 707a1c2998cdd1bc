from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.review.values import arrow, is_sensitive, plain, short, text_of, tokens, value_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=3) | st.dictionaries(st.text(max_size=4), JSON, max_size=3))
def test_a_list_or_object_survives_its_text(value):
    assert value_of(text_of(value)) == value


def test_scalars_stay_texts_because_a_version_is_no_number():
    assert value_of("17.10") == "17.10"
    assert value_of(None) is None
    assert value_of("{{resolve:secretsmanager:x}}") == "{{resolve:secretsmanager:x}}"
    assert text_of(True) == "true"


def test_a_line_never_holds_more_than_a_line():
    assert short(None) == "(none)"
    assert short("") == '""'
    assert short("a\n  b") == "a b"
    assert len(short("x" * 500)) == 60


def test_long_values_are_cut_to_where_they_differ():
    before, after = "same " * 40 + "old end", "same " * 40 + "new end"
    assert "old end" in arrow(before, after)
    assert "new end" in arrow(before, after)
    assert arrow("17.7", "17.10") == "17.7 → 17.10"
    assert arrow(None, "x") == "(none) → x"
    assert arrow("a" * 70, "a" * 80).count("a") > 10  # one begins as the other ends
    assert arrow("b" * 70, "a" * 70).startswith("bbb")


def test_tokens_are_words_and_dotted_numbers():
    assert dict(tokens('aurora-postgresql17 {"Block":{}} 17.10')) == {
        "aurora": 1, "postgresql": 1, "17": 1, "block": 1, "17.10": 1,
    }  # fmt: skip
    assert not tokens(None)


def test_names_are_compared_without_case_and_separators():
    assert plain("multi_az") == plain("MultiAZ")


@pytest.mark.parametrize("path", ["MasterUserPassword", "SecretString", "Settings/Password", "AuthToken"])
def test_credentials_are_known_by_name(path):
    assert is_sensitive(path)


@pytest.mark.parametrize("path", ["ManageMasterUserPassword/X", "GenerateSecretString/Length", "EngineVersion"])
def test_what_only_speaks_of_credentials_is_shown(path):
    assert not is_sensitive(path)
