"""The services of Linli. Each imports ``chassis``, ``kernel`` and itself, nothing else."""
