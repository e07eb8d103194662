"""Floor 1, the engine: token ids in, token ids out. Knows no HTTP, no chat roles, no customers."""

import os

from runtime.engine.cores import quiet_openmp

quiet_openmp(os.environ)  # here, because any module below may be the first that brings libllama and its OpenMP in
