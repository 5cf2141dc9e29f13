"""The detectors' arithmetic beside that of river's own estimators, for the benchmark of speed."""
