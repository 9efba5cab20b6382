"""The stations' side: HJ 212 sessions (pure) and the server that carries them."""
