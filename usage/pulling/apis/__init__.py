"""The APIs, one module each."""
