"""Physics of the simulated kinds: initial state, next state, output, health and failed; nothing else."""
