"""Requests and answers of the API, by subject."""
