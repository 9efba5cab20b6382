"""`python -m services.model.worker`: the process of one worker."""

import asyncio
import os


def main() -> None:
    """Work until told to stop.

    A worker computes on one core and more workers use more cores: threads inside one matrix product of this size only
    wait for each other (measured: three times the processor time). BLAS reads the variable when NumPy is loaded, so
    the imports come after it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from services.model.settings import ModelSettings
    from services.model.working import work
    from shared.telemetry import configure_logging

    settings = ModelSettings.load()
    configure_logging("model-worker", settings.log_format, settings.log_level)
    asyncio.run(work(settings))


if __name__ == "__main__":
    main()
