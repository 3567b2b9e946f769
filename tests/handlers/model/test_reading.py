"""The context of one event."""

from handlers.events import MappingOptions
from handlers.model.reading import MAX_PATH, Context


def test_a_warning_can_be_kept_whatever_names_and_values_it_is_about() -> None:
    """PostgreSQL's JSON holds no U+0000, so one in a warning would have cost the whole event."""
    context = Context(MappingOptions())

    context.warn("nul_replaced", "a\0b", "c\0d")

    assert context.warnings == [
        {"code": "nul_replaced", "path": "$.a\N{REPLACEMENT CHARACTER}b", "detail": "c\N{REPLACEMENT CHARACTER}d"}
    ]


def test_a_warnings_path_is_cut() -> None:
    context = Context(MappingOptions())
    context.warn("doubtful", "x" * 1_000, "-")
    assert len(context.warnings[0]["path"]) == MAX_PATH
