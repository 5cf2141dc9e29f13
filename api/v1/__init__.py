"""JSON for other programs: bearer tokens, RFC 3339 fleet times, cursors, problem details."""
