"""What the stages of one build share: its options, its inputs as they were read, and where its files lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.base import Base
from convert.build.bundle import tool_versions
from convert.build.config import RunConfig
from convert.build.stages import digests
from convert.lora.adapter import CONFIG, WEIGHTS, Adapter, read_adapter
from convert.progress import Progress
from models.bundle import MODEL

#: Raised when a stage comes to mean something else, so that older records no longer hold.
STAGES_VERSION = 3

#: Small files of the base that decide about the bundle.
_BASE_FILES = (
    *("config.json", "generation_config.json", "tokenizer.model", "tokenizer.json", "tokenizer_config.json"),
    *("added_tokens.json", "special_tokens_map.json", "chat_template.jinja", "README.md"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One build.

    Attributes:
        config: its options.
        base: the base.
        adapter: the adapter to merge, or None.
        progress: told how far a stage is.
    """

    config: RunConfig
    base: Base
    adapter: Adapter | None
    progress: Progress

    @classmethod
    def of(cls, config: RunConfig, base: Base, progress: Progress) -> Job:
        """Read the adapter. Raises what ``read_adapter`` does."""
        return cls(config, base, read_adapter(config.adapter) if config.adapter else None, progress)

    @property
    def work(self) -> Path:
        """Folder of intermediate files."""
        return self.config.work_folder

    @property
    def float_gguf(self) -> Path:
        """Merged weights before quantisation."""
        return self.work / f"model-{self.config.precision}.gguf"

    @property
    def imatrix(self) -> Path:
        """The importance matrix of the float GGUF."""
        return self.work / "imatrix.gguf"

    @property
    def calibration(self) -> Path:
        """What the importance matrix was computed from."""
        return self.work / "calibration.json"

    @property
    def types(self) -> Path:
        """The types that were searched."""
        return self.work / "types.json"

    @property
    def embed(self) -> Path:
        """Folder of the exported sentence encoder."""
        return self.work / "embed"

    @property
    def model(self) -> Path:
        """The quantised GGUF."""
        return self.work / MODEL

    @property
    def guard(self) -> Path:
        """Folder of the exported guard."""
        return self.work / "guard"

    @property
    def report(self) -> Path:
        """What the check found."""
        return self.work / "check.json"

    def inputs(self, **own: object) -> dict[str, object]:
        """A stage's inputs: its own, and the versions of all tools."""
        return {"version": STAGES_VERSION, "tools": tool_versions(), **own}

    def model_inputs(self) -> dict[str, object]:
        """Digests of everything that decides about the float weights."""
        base, adapter = self.base, self.adapter
        small = [base.folder / name for name in _BASE_FILES if (base.folder / name).is_file()]
        return {
            "base": {"weights": base.sha256, "name": base.folder.resolve().name, **digests(small)},
            "adapter": None if adapter is None else digests([adapter.folder / CONFIG, adapter.folder / WEIGHTS]),
        }


#: Name of a stage that is done -> file name -> sha256.
Made = Mapping[str, Mapping[str, str]]
