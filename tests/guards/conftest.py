"""A small real bundle, and the guards that it gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from guards.guard import Guard
from guards.policy import Policy, load_policy
from models.bundle import Bundle
from tests.bundles import BundleParts, build_bundle
from tests.guards.tiny_classifier import THRESHOLDS, classifier_onnx, tokenizer_json


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    parts = BundleParts(classifier_onnx(), tokenizer_json(), THRESHOLDS)
    return build_bundle(tmp_path_factory.mktemp("bundle") / "tiny", parts)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture(scope="session")
def guard(bundle: Bundle, policy: Policy) -> Guard:
    return Guard.load(bundle, policy)


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """A copy of the built-in policy that a test may change."""
    path = tmp_path / "policy.toml"
    path.write_bytes((Path(__file__).parents[2] / "guards" / "policy.toml").read_bytes())
    return path
