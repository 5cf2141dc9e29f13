"""Readings to findings: pure, without I/O and without a clock of their own."""
