"""What can keep a capture from beginning."""

from netlab.common.errors import NetlabError


class CannotCapture(NetlabError):
    """There is nothing to capture on, or the kernel refuses."""


class NoRightToCapture(CannotCapture):
    """This program has not the right to."""
