"""Chapter 11 of the reference: what is out of date and still served."""
