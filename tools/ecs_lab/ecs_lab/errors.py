"""What goes wrong in a laboratory, in words for the person in front of it."""


class LaboratoryError(Exception):
    """Something could not be found, built, started or applied. The text names it and the way out."""


class KubectlError(LaboratoryError):
    """A kubectl command failed; `stderr` is what it said."""

    def __init__(self, command: str, *, returncode: int, stderr: str) -> None:
        super().__init__(f"{command} ended with {returncode}: {stderr.strip()}")
        self.returncode = returncode
        self.stderr = stderr
