"""Who calls: password tokens, request signatures, and the part of the identity service that hands tokens out."""
