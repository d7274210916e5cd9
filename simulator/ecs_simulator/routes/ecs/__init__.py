"""Chapter 5 of the reference: the recommended API under /v1."""
