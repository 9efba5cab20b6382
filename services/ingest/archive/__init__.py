"""What stations sent, byte by byte: looked at, and read again."""
