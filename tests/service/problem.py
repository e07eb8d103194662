"""What every refusal of the service has to look like."""

from __future__ import annotations

import httpx


def assert_problem(response: httpx.Response, status: int, field: str | None = None) -> dict[str, str]:
    """The error object of a refusal in the contract's shape; ``field`` has to be named in it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error: dict[str, str] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "Traceback" not in response.text
    if field is not None:
        assert error["param"] == field
        assert field in error["message"]
    return error
