"""What can go wrong on the bench."""

from netlab.common.errors import LocalError, NetlabError


class NoExperiment(LocalError):
    """There is no such experiment, or its file is none."""


class CannotRun(NetlabError):
    """An experiment could not be set up, or something that it stands on ended early."""


class BadBundle(NetlabError):
    """What is to be verified is no bundle of ours, or one that nobody should open."""
