"""Detectors that say what they see: the same code, and beside its findings every cycle with its features and scores.

Not part of the version that findings carry: what is traced is decided by the code of `detectors` itself.
"""
