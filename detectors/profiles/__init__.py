"""Detectors for any series of numbers: one fixed configuration a profile, strictly causal, no catalogue needed."""
