"""Names that people would take for one."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.streamers.names import fold


@given(st.text(st.characters(max_codepoint=127)))
def test_a_name_in_ascii_is_folded_as_the_same_name_with_another_letter_is(name: str) -> None:
    assert fold(f"{name} ß") == f"{fold(name)} ss".strip()
