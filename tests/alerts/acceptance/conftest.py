import pytest

# So that a script that fails says what it found.
pytest.register_assert_rewrite("tests.alerts.acceptance.script")
