"""Chapter 6 of the reference: the native API under /v2.1, also served under /v2."""
