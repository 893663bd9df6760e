from canvas.domain.definition import Parameter
from canvas.domain.states import ParameterType
from canvas.domain.validation import check_parameters

DECLARED = {
    "city": Parameter(type=ParameterType.STRING, required=True, description="Where to."),
    "count": Parameter(type=ParameterType.INTEGER, default=3),
    "speed": Parameter(type=ParameterType.STRING, enum=("fast", "slow")),
}


def test_defaults_are_filled_in() -> None:
    """Every declared parameter gets a value; one that has none is null, so that expressions can name it."""
    values, problems = check_parameters(DECLARED, {"city": "Rome"})

    assert {"city": "Rome", "count": 3, "speed": None} == values
    assert () == problems


def test_everything_that_does_not_fit_is_reported() -> None:
    """Missing, unknown, of the wrong type, not among the choices: all at once, each at its place."""
    _, problems = check_parameters(DECLARED, {"cuont": 1, "count": "x", "speed": "warp"})

    assert [
        ("unknown_parameter", "/cuont", "Did you mean `count`?"),
        ("missing_parameter", "/city", "Where to."),
        ("wrong_type", "/count", ""),
        ("not_a_choice", "/speed", ""),
    ] == [(p.code, p.pointer, p.hint) for p in problems]


def test_null_is_as_good_as_nothing() -> None:
    """A parameter given as null takes its default, and is missing if it has none and is required."""
    values, problems = check_parameters(DECLARED, {"city": None, "count": None})

    assert 3 == values["count"]
    assert ["missing_parameter"] == [p.code for p in problems]


def test_true_is_no_number() -> None:
    """Booleans and numbers are not taken for each other."""
    _, problems = check_parameters(DECLARED, {"city": "Rome", "count": True})

    assert ["wrong_type"] == [p.code for p in problems]
