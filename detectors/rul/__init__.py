"""Remaining useful life learned from run-to-failure records: tables of many units, each observed until it failed."""
