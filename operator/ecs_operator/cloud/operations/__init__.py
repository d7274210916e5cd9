"""The operations of the API, grouped as the reference groups them."""
