"""A simulated Elastic Cloud Server API."""

__version__ = "0.1.0"
