"""Blocks to rows, findings, tickets and jobs: one transaction a batch; and the jobs that time drives."""
