"""What ingest knows of parks, stations, devices and datastreams."""
