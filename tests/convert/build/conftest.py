"""What a build's tests start from."""

from tests.convert.building import configure

__all__ = ["configure"]
