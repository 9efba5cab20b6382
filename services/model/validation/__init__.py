"""The engines against field trials: the same code that runs use, scored as Chang & Hanna do."""
