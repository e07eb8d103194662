"""The stages of a build as it is unless told otherwise, in order."""

STAGES = ["guard", "gguf", "imatrix", "quantize", "check", "pack"]
