"""SQL of the model service, and nothing else."""
