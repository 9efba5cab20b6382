"""`python -m services.gateway.admin`."""

from services.gateway.admin.commands import main

if __name__ == "__main__":
    raise SystemExit(main())
