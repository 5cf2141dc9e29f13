"""Blocks to rows, findings, tickets and jobs: one transaction a batch; and the jobs that time drives."""

import os

# Before numpy is loaded. The detectors' matrices are small: threads of OpenBLAS cost ten times what they save, and
# with one thread a model has the same bits on any number of cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
