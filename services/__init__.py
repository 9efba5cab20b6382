"""The four services. They talk over HTTP and Redis and never import each other."""
