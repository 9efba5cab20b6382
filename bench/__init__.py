"""Benchmarks: what the project promises of its speed, measured beside its peers on the same machine in the same run."""
