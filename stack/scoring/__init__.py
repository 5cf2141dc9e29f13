"""Protocols that score detectors on recordings: one module a benchmark, numpy alone, no detector's internals."""
